"""Send and receive MIST messages over HTTP, files, stdio and in-process channels."""
