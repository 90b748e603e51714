"""What happens to cases by itself, as their project's settings ask for it."""
