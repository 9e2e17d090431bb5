package io.homa4j.grpc;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.internal.AbstractServerStream;
import io.grpc.internal.StatsTraceContext;
import io.grpc.internal.TransportTracer;
import io.grpc.internal.WritableBuffer;

/** A call as gRPC's server sees it: hands everything to its {@link ServerCall}. */
final class HomaServerStream extends AbstractServerStream {
    private final ServerCall call;
    private final ServerSession session;
    private final String authority;
    private final State state;
    private final Sink sink = new Sink();

    private HomaServerStream(
            ServerCall call, ServerSession session, String authority, StatsTraceContext stats, TransportTracer tracer) {
        super(HeapBuffer::allocate, stats);
        this.call = call;
        this.session = session;
        this.authority = authority;
        this.state = new State(stats, tracer);
    }

    static HomaServerStream create(
            ServerCall call, ServerSession session, String method, String authority, Metadata headers) {
        StatsTraceContext stats = StatsTraceContext.newServerContext(session.tracerFactories(), method, headers);
        return new HomaServerStream(call, session, authority, stats, session.stats.begin());
    }

    @Override
    public Attributes getAttributes() {
        return session.attributes();
    }

    @Override
    public String getAuthority() {
        return authority;
    }

    @Override
    public int streamId() {
        return call.id;
    }

    @Override
    protected State transportState() {
        return state;
    }

    @Override
    protected Sink abstractServerStreamSink() {
        return sink;
    }

    TransportTracer tracer() {
        return state.tracer;
    }

    final class Sink implements AbstractServerStream.Sink {
        @Override
        public void writeHeaders(Metadata headers, boolean flush) {
            call.serial.execute(() -> call.headers(headers, flush));
        }

        @Override
        public void writeFrame(WritableBuffer frame, boolean flush, int numMessages) {
            HeapBuffer buffer = (HeapBuffer) frame;
            onSendingBytes(buffer.length);
            call.serial.execute(() -> {
                state.messagesSent(numMessages);
                call.frame(buffer, flush);
            });
        }

        @Override
        public void writeTrailers(Metadata trailers, boolean headersSent, Status status) {
            call.serial.execute(() -> call.trailers(trailers));
        }

        @Override
        public void cancel(Status status) {
            call.serial.execute(() -> call.cancel(status));
        }
    }

    final class State extends AbstractServerStream.TransportState {
        private final TransportTracer tracer;

        State(StatsTraceContext stats, TransportTracer tracer) {
            super(session.options().maxInboundMessageBytes(), stats, tracer);
            this.tracer = tracer;
        }

        private void messagesSent(int count) {
            if (count > 0) {
                tracer.reportMessageSent(count);
            }
        }

        @Override
        public void bytesRead(int bytes) {
            call.consumed(bytes);
        }

        @Override
        public void deframeFailed(Throwable cause) {
            call.cancel(Status.fromThrowable(cause));
        }

        @Override
        public void runOnTransportThread(Runnable task) {
            call.serial.execute(task);
        }
    }
}
