import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Iterator;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.tools.api.RecordReader;

/** For the console producer: appends again what ToLines wrote, with its key, value and headers; the key finds the partition. */
public final class FromLines implements RecordReader {
    private String topic;

    @Override
    public void configure(Map<String, ?> configs) {
        topic = configs.get("topic").toString();
    }

    @Override
    public Iterator<ProducerRecord<byte[], byte[]>> readRecords(InputStream input) {
        return new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8)).lines().map(this::record).iterator();
    }

    private ProducerRecord<byte[], byte[]> record(String line) {
        String[] parts = line.split("\t", -1);
        if (parts.length != 5) {
            throw new IllegalArgumentException("not a line of ToLines: " + line);
        }
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, bytes(parts[2]), bytes(parts[3]));
        for (String header : parts[4].split(",")) {
            int at = header.indexOf('=');
            if (at > 0) {
                record.headers().add(header.substring(0, at), bytes(header.substring(at + 1)));
            }
        }
        return record;
    }

    private static byte[] bytes(String text) {
        return text.equals("-") ? null : Base64.getDecoder().decode(text);
    }
}
