"""Pen strokes and pictures into digits, the way MNIST's were made."""
