"""The parts of a `Runtime` that only it puts together."""
