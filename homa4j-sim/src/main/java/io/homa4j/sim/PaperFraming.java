package io.homa4j.sim;

import io.homa4j.wire.CommonHeader;
import io.homa4j.wire.DataHeader;
import io.homa4j.wire.PacketType;
import java.lang.foreign.MemorySegment;

/** Header sizes of the paper's simulator: 30 bytes for unscheduled data, 16 for scheduled data and for grants. */
final class PaperFraming implements Framing {
    private static final int UNSCHEDULED = 30;
    private static final int SCHEDULED = 16;

    @Override
    public int wireBytes(MemorySegment header, long at, int headerBytes, int payloadBytes) {
        return switch (CommonHeader.type(header, at)) {
            case PacketType.DATA ->
                Framing.ethernet(payloadBytes
                        + (DataHeader.offset(header, at) < DataHeader.incoming(header, at) ? UNSCHEDULED : SCHEDULED));
            case PacketType.GRANT -> Framing.ethernet(SCHEDULED);
            default -> Framing.ethernet(headerBytes + payloadBytes);
        };
    }
}
