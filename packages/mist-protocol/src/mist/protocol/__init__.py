"""The MIST message envelope: typed payloads, checksums, version negotiation."""
