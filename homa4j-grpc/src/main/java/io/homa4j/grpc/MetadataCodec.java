package io.homa4j.grpc;

import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import java.nio.ByteBuffer;

/**
 * Metadata on the wire: for each entry the length of its name (2 bytes), the name, the length of its value (4), the value as it is,
 * binary or not. Its size is counted as HTTP/2 does: name, value, and 32 bytes for each entry.
 */
final class MetadataCodec {
    private static final int ENTRY_BYTES = 32;
    private static final int LENGTHS_BYTES = 6;
    private static final int MAX_NAME_BYTES = 0xffff;

    private MetadataCodec() {}

    /** @throws TooLargeException if a message would not hold it */
    static byte[] encode(Metadata metadata) throws TooLargeException {
        byte[][] entries = InternalMetadata.serialize(metadata);
        long size = 0;
        for (int i = 0; i < entries.length; i += 2) {
            size += LENGTHS_BYTES + entries[i].length + entries[i + 1].length;
            if (entries[i].length > MAX_NAME_BYTES || size > Frames.MAX_METADATA_BYTES) {
                throw new TooLargeException(
                        "metadata of more than " + Frames.MAX_METADATA_BYTES + " bytes cannot be sent over Homa");
            }
        }
        int length = (int) size;
        ByteBuffer out = ByteBuffer.allocate(length);
        for (int i = 0; i < entries.length; i += 2) {
            out.putShort((short) entries[i].length).put(entries[i]);
            out.putInt(entries[i + 1].length).put(entries[i + 1]);
        }
        return out.array();
    }

    /**
     * Reads to the end.
     *
     * @throws TooLargeException if the entries count more than {@code limitBytes}
     */
    static Metadata decode(Reader in, int limitBytes) throws ProtocolException, TooLargeException {
        Reader counter = in.copy();
        long size = 0;
        int count = 0;
        while (!counter.isAtEnd()) {
            int name = counter.u16();
            counter.skip(name);
            int value = counter.length();
            counter.skip(value);
            if (name == 0) {
                throw new ProtocolException("metadata without a name");
            }
            size += name + value + ENTRY_BYTES;
            count++;
        }
        if (size > limitBytes) {
            throw new TooLargeException(
                    "metadata of " + size + " bytes, more than the " + limitBytes + " of maxInboundMetadataSize");
        }
        byte[][] entries = new byte[2 * count][];
        for (int i = 0; i < entries.length; i += 2) {
            entries[i] = in.bytes(in.u16());
            entries[i + 1] = in.bytes(in.length());
        }
        return InternalMetadata.newMetadata(entries);
    }

    /** The metadata is larger than its receiver, or a message, takes. */
    static final class TooLargeException extends Exception {
        private static final long serialVersionUID = 1L;

        TooLargeException(String message) {
            super(message, null, false, false);
        }
    }
}
