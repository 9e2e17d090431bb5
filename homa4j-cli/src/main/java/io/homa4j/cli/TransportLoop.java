package io.homa4j.cli;

import io.homa4j.cli.LoadTransport.Call;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Drives a {@link LoadTransport} through a {@link PeerLoad}; polls all the time. */
final class TransportLoop implements LoadTransport.Outcomes, Contender.Client {
    private final LoadTransport transport;
    private @Nullable PeerLoad load;
    private @Nullable Call idle;
    private int outstanding;

    /** @param transport closed with this object */
    TransportLoop(LoadTransport transport) {
        this.transport = transport;
    }

    @Override
    public void run(PeerLoad wanted) {
        load = wanted;
        idle = null;
        for (int i = 0; i < wanted.outstanding(); i++) {
            free(new Call());
        }
        outstanding = 0;
        while (true) {
            long nowNs = System.nanoTime();
            boolean isOver = wanted.isOver(nowNs);
            while (!isOver && idle != null && start(wanted, nowNs)) {
                outstanding++;
            }
            if (transport.turn(this) == 0) {
                Thread.onSpinWait();
            }
            if (isOver && (outstanding == 0 || wanted.isGivenUp(nowNs))) {
                wanted.failed(outstanding);
                return;
            }
        }
    }

    private boolean start(PeerLoad wanted, long nowNs) {
        Call call = idle;
        if (call == null) {
            return false;
        }
        call.startNs = nowNs;
        if (!transport.start(wanted.request(), call)) {
            return false;
        }
        idle = call.next;
        call.next = null;
        return true;
    }

    @Override
    public void answered(Call call, MemorySegment response) {
        PeerLoad of = load;
        if (of == null) {
            return;
        }
        long nowNs = System.nanoTime();
        of.answered(call.startNs, nowNs, response.byteSize());
        free(call);
        outstanding--;
        if (!of.isOver(nowNs) && start(of, nowNs)) {
            outstanding++;
        }
    }

    @Override
    public void failed(Call call, String kind) {
        if (load != null) {
            load.failed(1);
        }
        free(call);
        outstanding--;
    }

    private void free(Call call) {
        call.next = idle;
        idle = call;
    }

    @Override
    public void close() {
        transport.close();
    }
}
