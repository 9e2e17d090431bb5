package io.homa4j.cli;

/** IP addresses as glibc's {@code inet_ntop} writes them, which is what every other tool shows. */
final class AddressText {
    private static final int WORDS = 8;

    private AddressText() {}

    /** An address of 4 or 16 bytes. */
    static String of(byte[] address) {
        return address.length == 4 ? v4(address, 0) : v6(address);
    }

    /** An address in front of a port. */
    static String of(byte[] address, int port) {
        return address.length == 4 ? v4(address, 0) + ":" + port : "[" + v6(address) + "]:" + port;
    }

    private static String v4(byte[] bytes, int at) {
        return (bytes[at] & 0xFF)
                + "."
                + (bytes[at + 1] & 0xFF)
                + "."
                + (bytes[at + 2] & 0xFF)
                + "."
                + (bytes[at + 3] & 0xFF);
    }

    /** The first of the longest runs of two or more zero words becomes "::"; the last 32 bits of a mapped or compatible address are IPv4. */
    private static String v6(byte[] bytes) {
        int[] words = new int[WORDS];
        for (int i = 0; i < WORDS; i++) {
            words[i] = (bytes[2 * i] & 0xFF) << 8 | bytes[2 * i + 1] & 0xFF;
        }
        int zeroStart = -1;
        int zeroLength = 1;
        for (int start = 0; start < WORDS; start++) {
            int end = start;
            while (end < WORDS && words[end] == 0) {
                end++;
            }
            if (end - start > zeroLength) {
                zeroStart = start;
                zeroLength = end - start;
            }
        }
        boolean endsInV4 = zeroStart == 0 && (zeroLength == 6 || zeroLength == 5 && words[5] == 0xFFFF);
        int hexWords = endsInV4 ? WORDS - 2 : WORDS;
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < hexWords; i++) {
            if (i == zeroStart) {
                text.append("::");
                i += zeroLength - 1;
            } else {
                text.append(text.isEmpty() || text.charAt(text.length() - 1) == ':' ? "" : ":");
                text.append(Integer.toHexString(words[i]));
            }
        }
        if (endsInV4) {
            text.append(text.charAt(text.length() - 1) == ':' ? "" : ":").append(v4(bytes, 12));
        }
        return text.toString();
    }
}
