"""The networks: a catalogue without Keras, their architectures as data, and how one is built."""
