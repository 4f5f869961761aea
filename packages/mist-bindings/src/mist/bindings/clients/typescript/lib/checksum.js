const POLYNOMIAL = 0xedb88320;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit += 1) {
        remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
    }
    return remainder;
});
/** Return the CRC-32 (IEEE 802.3) of bytes. */
export function crc32(bytes) {
    let remainder = 0xffffffff;
    for (const byte of bytes) {
        remainder = (remainder >>> 8) ^ TABLE[(remainder ^ byte) & 0xff];
    }
    return (remainder ^ 0xffffffff) >>> 0;
}
