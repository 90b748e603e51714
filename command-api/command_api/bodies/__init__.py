"""What requests may say: the shapes of bodies, not the rules of the domain. Wrong shapes are refused, each with its field."""
