package io.homa4j.cli;

/**
 * Short calls beside bulk between the same two processes, at a client. The bulk comes in units: a call with a request and an answer of
 * 1 MB, and 1 MB in {@link #STREAM_MESSAGES} messages of a bidirectional stream that come back. Units and short calls begin at
 * random moments with the rates wanted, whatever became of those before; without a wanted rate, a few units are on their way at a time,
 * which tells what the pair can carry. One thread at a time.
 */
public final class MixedLoad {
    /** Request and answer of a unit's call. */
    public static final int CALL_BYTES = 1_000_000;
    /** Messages of the stream in a unit. */
    public static final int STREAM_MESSAGES = 10;
    /** Length of each of them. */
    public static final int STREAM_BYTES = 100_000;

    private static final int SHORT_BYTES = 100;
    /** Payload of a unit, each way. */
    private static final double UNIT_BYTES = CALL_BYTES + (double) STREAM_MESSAGES * STREAM_BYTES;
    /** Units on their way when no rate is wanted. */
    private static final int CLOSED_UNITS = 4;
    /** More units than this on their way are an overload: no further one begins, and the throughput tells. */
    private static final int MAX_UNITS = 100;

    private final PeerLoad shorts;
    private final double unitsPerSecond;
    private final double shortsPerSecond;
    private final byte[] call = Pattern.request(CALL_BYTES, CALL_BYTES, 0);
    private final byte[] message = Pattern.request(STREAM_BYTES, STREAM_BYTES, 0);
    private long unitsBegun;
    private long callsDone;
    private long messagesDone;
    private long bytesInTime;

    /**
     * @param unitsPerSecond 0: as many as go
     * @param shortsPerSecond 0: none
     * @param seconds how long to measure
     */
    public MixedLoad(double unitsPerSecond, double shortsPerSecond, double seconds) {
        this.shorts = new PeerLoad(SHORT_BYTES, SHORT_BYTES, 1, seconds);
        this.unitsPerSecond = unitsPerSecond;
        this.shortsPerSecond = shortsPerSecond;
    }

    /** The short calls, to be told of their answers; and the clock of the whole load. */
    public PeerLoad shorts() {
        return shorts;
    }

    /** Short calls wanted; 0: none. */
    public double shortsPerSecond() {
        return shortsPerSecond;
    }

    /** Units wanted; 0: as many as go. */
    public double unitsPerSecond() {
        return unitsPerSecond;
    }

    /** The request of a unit's call; not to be changed. */
    public byte[] call() {
        return call;
    }

    /** A message of the stream; not to be changed. */
    public byte[] message() {
        return message;
    }

    /** Whether a unit may begin now, which then counts as begun. */
    public boolean beginUnit(long nowNs) {
        int most = unitsPerSecond == 0 ? CLOSED_UNITS : MAX_UNITS;
        if (shorts.isOver(nowNs) || unitsBegun - unitsDone() >= most) {
            return false;
        }
        unitsBegun++;
        return true;
    }

    /** Units of which everything has come back. */
    public long unitsDone() {
        return Math.min(callsDone, messagesDone / STREAM_MESSAGES);
    }

    /** A unit's call was answered. */
    public void callDone(long nowNs, int bytes) {
        callsDone++;
        done(nowNs, bytes, CALL_BYTES);
    }

    /** A message of the stream has come back. */
    public void messageDone(long nowNs, int bytes) {
        messagesDone++;
        done(nowNs, bytes, STREAM_BYTES);
    }

    private void done(long nowNs, int bytes, int wanted) {
        if (bytes != wanted) {
            shorts.failed(1);
        }
        if (nowNs - shorts.measureStartNs() >= 0 && !shorts.isOver(nowNs)) {
            bytesInTime += bytes;
        }
    }

    /** Whether everything that was begun has come back. */
    public boolean isDone() {
        return callsDone == unitsBegun && messagesDone == unitsBegun * STREAM_MESSAGES;
    }

    /** Payload of the bulk, each way. */
    double gbitPerSecond() {
        return bytesInTime * 8.0 / shorts.measureNs();
    }

    /** The units per second that make this payload each way. */
    static double unitsPerSecond(double gbitPerSecond) {
        return gbitPerSecond * 1e9 / 8 / UNIT_BYTES;
    }
}
