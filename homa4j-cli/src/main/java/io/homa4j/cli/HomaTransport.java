package io.homa4j.cli;

import io.homa4j.Homa;
import io.homa4j.HomaAddress;
import io.homa4j.HomaMessage;
import io.homa4j.HomaRpcException;
import io.homa4j.HomaSocket;
import java.time.Duration;
import java.util.Locale;

/** Homa with the calling thread as its engine: a socket of its own, and every turn of the load is one of the engine. */
final class HomaTransport implements LoadTransport {
    private final Homa homa;
    private final HomaSocket socket;
    private final HomaAddress server;

    /**
     * @param homa in invoker mode; closed with this object
     */
    HomaTransport(Homa homa, HomaAddress server) {
        this.homa = homa;
        this.server = server;
        this.socket = homa.openSocket();
    }

    @Override
    public boolean start(byte[] request, Call call) {
        return socket.trySend(server, request, call) != 0;
    }

    @Override
    public int turn(Outcomes outcomes) {
        return homa.doWork() + deliver(outcomes);
    }

    @Override
    public int await(long waitNs, Outcomes outcomes) {
        return homa.doWork(Duration.ofNanos(waitNs)) + deliver(outcomes);
    }

    private int deliver(Outcomes outcomes) {
        int delivered = 0;
        while (deliverOne(outcomes)) {
            delivered++;
        }
        return delivered;
    }

    private boolean deliverOne(Outcomes outcomes) {
        try (HomaMessage message = socket.poll()) {
            if (message == null) {
                return false;
            }
            Call call = (Call) message.cookie();
            HomaRpcException failure = message.failure();
            if (call == null) {
                throw new IllegalStateException("an outcome without its call");
            } else if (failure != null) {
                outcomes.failed(call, failure.reason().name().toLowerCase(Locale.ROOT));
            } else {
                outcomes.answered(call, message.segment());
            }
            return true;
        }
    }

    @Override
    public void close() {
        socket.closeNow();
        homa.close();
    }
}
