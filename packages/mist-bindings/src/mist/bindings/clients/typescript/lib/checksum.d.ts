/** Return the CRC-32 (IEEE 802.3) of bytes. */
export declare function crc32(bytes: Uint8Array): number;
