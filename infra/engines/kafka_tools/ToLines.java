import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.StringJoiner;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.MessageFormatter;
import org.apache.kafka.common.header.Header;

/**
 * For the console consumer: a record a line, so that bytes survive, which its own formatter only passes on.
 *
 * <p>partition, offset, key, value, headers, apart by tabs. Key and value are base64, "-" where there is none; headers are
 * NAME=BASE64, apart by commas.
 */
public final class ToLines implements MessageFormatter {
    @Override
    public void writeTo(ConsumerRecord<byte[], byte[]> record, PrintStream output) {
        StringJoiner headers = new StringJoiner(",");
        for (Header header : record.headers()) {
            headers.add(header.key() + "=" + text(header.value()));
        }
        String line = record.partition() + "\t" + record.offset() + "\t" + text(record.key()) + "\t" + text(record.value())
            + "\t" + headers + "\n";
        output.writeBytes(line.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes);
    }
}
