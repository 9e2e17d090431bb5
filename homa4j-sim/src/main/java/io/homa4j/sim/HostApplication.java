package io.homa4j.sim;

import io.homa4j.protocol.Config;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.Status;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The application on a host: it makes the calls of the plan and serves those of others, as quickly, slowly, carelessly or not
 * at all as the plan says; and it checks everything the engine tells it.
 */
final class HostApplication {
    private final FuzzRun run;
    private final FuzzHost host;
    private final Message message = new Message();

    private final List<Execution> executions = new ArrayList<>();
    private final List<Lease> leases = new ArrayList<>();
    private final Deque<Call> blockedCalls = new ArrayDeque<>();
    private final Deque<Execution> blockedReplies = new ArrayDeque<>();
    /** Private calls that are ready and have not been read. */
    private final Deque<Call> readyCalls = new ArrayDeque<>();

    private boolean isReading;

    HostApplication(FuzzRun run, FuzzHost host) {
        this.run = run;
        this.host = host;
    }

    private long nowNs() {
        return host.nowNs();
    }

    // ---- calls

    /** Makes a call of the plan, or tries again. */
    void call(Call call) {
        Endpoint engine = host.engine();
        CallPlan plan = call.plan;
        FuzzHost server = call.server;
        call.socket = host.socket(Math.min(plan.clientSocket(), host.socketCount() - 1));
        call.incarnation = host.incarnation();
        call.serverHi = server.hi(plan.family());
        call.serverLo = server.lo(plan.family());
        call.serverPort = server.visiblePort(plan.serverSocket());
        call.opening = host.openings();
        call.rebindings = host.rebindings();
        if (run.plan.swarm.contains(Fault.MISUSE)) {
            misuse(engine, call);
        }
        long id = engine.request(
                call.socket,
                call.serverHi,
                call.serverLo,
                call.serverPort,
                Messages.PATTERN,
                plan.requestAt(),
                plan.requestBytes(),
                plan.isPrivate(),
                call,
                nowNs());
        run.coverage.result(id);
        if (id < 0) {
            refused(call, Status.of(id));
            return;
        }
        call.id = id;
        if ((id & 1) != 0 || run.callById(id) != null) {
            throw run.failure(host + " was given the id " + id + " for " + call);
        }
        call.state = Call.State.OPEN;
        run.opened(call);
        host.wire().called(call.socket, call.serverHi, call.serverLo, call.serverPort);
        run.trace.call("calls", host, call);
        if (plan.endAfterNs() > 0) {
            run.later(host, plan.endAfterNs(), () -> giveUp(call));
        }
    }

    private void refused(Call call, Status status) {
        run.trace.call("cannot call", host, call);
        Config config = host.config();
        boolean isRight = switch (status) {
            case SEND_LIMIT -> {
                call.state = Call.State.BLOCKED;
                blockedCalls.add(call);
                yield true;
            }
            case SHUTDOWN -> host.isSocketShut();
            case TOO_MANY -> config.maxClientRpcs < 1_000 || config.maxPeers < 1_000;
            case MTU_TOO_SMALL -> config.moduleProfile && run.plan.swarm.contains(Fault.MTU_TOLD);
            default -> false;
        };
        if (!isRight) {
            throw run.failure(host + " refuses " + call + ": " + status);
        }
        if (call.state == Call.State.PLANNED) {
            call.state = Call.State.REFUSED;
        }
    }

    private void giveUp(Call call) {
        if (!call.isOpen() || call.isAborted) {
            return;
        }
        Endpoint engine = host.engine();
        if (run.isHostile() && host.config().moduleProfile) {
            return; // A stray ACK may have ended it unseen (D-8).
        }
        run.trace.call(call.plan.isForgotten() ? "forgets" : "aborts", host, call);
        if (call.plan.isForgotten()) {
            run.coverage.count(Fault.FORGET);
            expect(engine.forget(call.id, nowNs()), Status.OK, "forgetting " + call);
            run.dropped(call);
            call.state = Call.State.DROPPED;
        } else {
            run.coverage.count(Fault.ABORT);
            expect(engine.abort(call.id, Status.ABORTED, call.plan.number(), nowNs()), Status.OK, "aborting " + call);
            call.isAborted = true;
        }
    }

    /** All calls of all sockets are aborted. */
    void abortAll() {
        for (int i = 0; i < host.socketCount(); i++) {
            host.engine().abortAll(host.socket(i), Status.ABORTED, 7, nowNs());
        }
        for (Call call : run.calls) {
            if (call.client == host && call.isOpen()) {
                run.coverage.count(Fault.ABORT_ALL);
                call.isAborted = true;
            }
        }
    }

    private void misuse(Endpoint engine, Call call) {
        if (!run.chance.oneIn(4)) {
            return;
        }
        run.coverage.count(Fault.MISUSE);
        long nowNs = nowNs();
        Status expected = host.isSocketShut() ? Status.SHUTDOWN : Status.INVALID_LENGTH;
        switch (run.chance.nextInt(6)) {
            case 0 -> expect(request(engine, call, call.serverPort, 0), expected, "a request of 0 bytes");
            case 1 -> expect(request(engine, call, call.serverPort, 1_000_001), expected, "a request of 1000001 bytes");
            case 2 ->
                expect(
                        request(engine, call, 65_536, 10),
                        host.isSocketShut() ? Status.SHUTDOWN : Status.INVALID_ARGUMENT,
                        "a request to port 65536");
            case 3 ->
                expect(
                        engine.release(call.socket, 12_345, nowNs),
                        Status.INVALID_ARGUMENT,
                        "releasing what is not there");
            case 4 -> expect(engine.abort(2, Status.ABORTED, 0, nowNs), Status.UNKNOWN_RPC, "aborting nothing");
            default -> {
                if (!host.isSocketShut()) {
                    expect(
                            engine.openSocket(
                                    engine.port(host.socket(0)), true, MemorySegment.ofArray(new byte[2 << 20])),
                            Status.ADDRESS_IN_USE,
                            "opening a port twice");
                }
            }
        }
    }

    private long request(Endpoint engine, Call call, int port, int length) {
        return engine.request(
                call.socket, call.serverHi, call.serverLo, port, Messages.PATTERN, 0, length, false, null, nowNs());
    }

    private void expect(long result, Status expected, String what) {
        run.coverage.result(result);
        if (Status.of(result) != expected) {
            throw run.failure(host + ": " + what + " gives " + Status.of(result) + " instead of " + expected);
        }
    }

    // ---- events

    void onEvent(Event event) {
        switch (event.kind) {
            case READABLE -> {
                if (isReading || host.plan.readDelayNs() == 0 || run.isHealed()) {
                    read(event.socket);
                } else {
                    isReading = true;
                    run.coverage.count(Fault.LATE_READ);
                    host.readAfter(host.plan.readDelayNs());
                }
            }
            case PRIVATE_READY -> {
                Call call = (Call) Objects.requireNonNull(event.attachment);
                if (call.id != event.id || !call.plan.isPrivate()) {
                    throw run.failure(host + " announces " + event.id + " for " + call);
                }
                readyCalls.add(call);
                if (host.plan.readDelayNs() == 0 || run.isHealed()) {
                    readPrivate();
                } else if (!isReading) {
                    isReading = true;
                    run.coverage.count(Fault.LATE_READ);
                    host.readAfter(host.plan.readDelayNs());
                }
            }
            case RELEASED -> {
                if (run.sabotages(Sabotage.LOSES_RELEASED)) {
                    return;
                }
                released(event.attachment);
                if (run.sabotages(Sabotage.RELEASES_TWICE)) {
                    released(event.attachment);
                }
            }
            case WRITABLE -> retry();
        }
    }

    /** Reads everything that is ready. */
    void readAll() {
        isReading = false;
        for (int i = 0; i < host.socketCount(); i++) {
            read(host.socket(i));
        }
        readPrivate();
    }

    private void read(int socket) {
        while (host.engine().receive(socket, message, nowNs())) {
            take(socket);
        }
    }

    private void readPrivate() {
        for (Call call = readyCalls.poll(); call != null; call = readyCalls.poll()) {
            // It may have been forgotten meanwhile.
            boolean isThere = host.engine().receivePrivate(call.id, message, nowNs());
            if (isThere != call.isOpen()) {
                throw run.failure(host + (isThere ? " still has " : " has lost ") + call);
            }
            if (isThere) {
                take(call.socket);
            }
        }
    }

    private void take(int socket) {
        if (message.isRequest) {
            request(socket);
            if (run.sabotages(Sabotage.EXECUTES_TWICE)) {
                request(socket);
            }
        } else if (!run.sabotages(Sabotage.LOSES_OUTCOMES)) {
            outcome(socket);
        }
    }

    private void released(@Nullable Object attachment) {
        if (attachment instanceof Call call) {
            call.released++;
            if (call.isOpen() && run.isHostile() && host.config().moduleProfile) {
                // A stray ACK ends any RPC there, and nobody is told (D-8).
                run.dropped(call);
                call.state = Call.State.DROPPED;
            }
            if (call.released > 1 || call.client != host || call.isOpen()) {
                throw run.failure(host + " has released the request " + call.released + " times; " + call);
            }
        } else if (attachment instanceof Execution execution) {
            execution.released++;
            execution.endedNs = nowNs();
            if (execution.released > 1 || execution.server != host || !execution.isReplied) {
                throw run.failure(
                        host + " has released the response " + execution.released + " times; " + execution.call);
            }
        } else {
            throw run.failure(host + " releases what nobody lent: " + attachment);
        }
    }

    /** There is room for sending again. */
    private void retry() {
        int calls = blockedCalls.size();
        for (int i = 0; i < calls; i++) {
            Call call = blockedCalls.remove();
            call.state = Call.State.PLANNED;
            call(call);
        }
        int replies = blockedReplies.size();
        for (int i = 0; i < replies; i++) {
            reply(blockedReplies.remove());
        }
    }

    // ---- outcomes

    private void outcome(int socket) {
        Call call = (Call) Objects.requireNonNull(message.attachment);
        run.trace.call("has " + message.status, host, call);
        if (call.client != host || call.id != message.id || !call.isOpen() || call.incarnation != host.incarnation()) {
            throw run.failure(host + " gives an outcome (" + message.status + ") that is not due: " + call);
        }
        call.state = Call.State.ENDED;
        call.outcome = message.status;
        run.ended(call);
        if (message.status != Status.OK) {
            if (message.length != 0 || message.regionOffset >= 0) {
                throw run.failure(host + " gives bytes with a failure: " + call);
            }
            if (message.status == Status.ABORTED && !call.isAborted) {
                throw run.failure(host + " says that the application has aborted " + call);
            }
            return;
        }
        if (!run.isHostile()) {
            checkResponse(socket, call);
        }
        hold(lease(socket, call.plan.responseAt()), call.plan.holdResponseNs());
    }

    private void checkResponse(int socket, Call call) {
        checkBytes(socket, call.plan.responseBytes(), call.plan.responseAt(), call, "response");
        if (call.executions.stream().noneMatch(execution -> execution.isReplied)) {
            throw run.failure(host + " has a response that nobody sent: " + call);
        }
        if (message.peerHi != call.serverHi || message.peerLo != call.serverLo || message.peerPort != call.serverPort) {
            throw run.failure(host + " has the response from " + message.peerLo + ":" + message.peerPort + ": " + call);
        }
    }

    private void checkBytes(int socket, int length, int patternAt, Call call, String what) {
        if (message.length != length) {
            throw run.failure(host + " has a " + what + " of " + message.length + " bytes: " + call);
        }
        long wrong = Messages.firstWrong(host.region(socket), message.regionOffset, length, patternAt);
        if (wrong >= 0) {
            throw run.failure(host + " has a " + what + " whose byte " + wrong + " is wrong: " + call);
        }
    }

    // ---- requests

    private void request(int socket) {
        Call call = run.callById(message.id & ~1L);
        if (run.isHostile() && (call == null || message.length != call.plan.requestBytes())) {
            hold(lease(socket, 0), 0);
            run.coverage.result(host.engine().dismiss(message.handle, nowNs()));
            return;
        }
        if (call == null) {
            throw run.failure(host + " has a request that nobody made: " + Long.toUnsignedString(message.id, 16));
        }
        run.trace.call("serves", host, call);
        Execution execution = new Execution(
                call,
                host,
                message.handle,
                socket,
                host.openings(),
                message.peerHi,
                message.peerLo,
                message.peerPort,
                nowNs());
        if (!run.isHostile()) {
            checkBytes(socket, call.plan.requestBytes(), call.plan.requestAt(), call, "request");
            checkOnce(execution);
            if (call.server != host) {
                throw run.failure(host + " serves what was asked of another: " + call);
            }
        }
        call.executions.add(execution);
        executions.add(execution);
        hold(lease(socket, call.plan.requestAt()), call.plan.holdRequestNs());
        switch (run.isHealed() ? CallPlan.Treatment.REPLY : call.plan.treatment()) {
            case REPLY -> {
                long afterNs = run.isHealed() ? 0 : call.plan.replyAfterNs();
                if (afterNs == 0) {
                    reply(execution);
                } else {
                    if (afterNs > FuzzPlan.MS) {
                        run.coverage.count(Fault.SLOW_REPLY);
                    }
                    run.later(host, afterNs, () -> reply(execution));
                }
            }
            case DISMISS -> {
                long afterNs = call.plan.replyAfterNs();
                if (afterNs == 0) {
                    dismiss(execution);
                } else {
                    run.later(host, afterNs, () -> dismiss(execution));
                }
            }
            case LEAVE -> run.coverage.count(Fault.NO_REPLY);
        }
    }

    /**
     * At most once per incarnation of the server (design 6). It may run again when the server has ended the RPC and was not
     * to remember it any longer, or had to forget it because its memory of ended RPCs was full; and for a client that
     * is seen at another address or port, which is somebody else.
     */
    private void checkOnce(Execution next) {
        if (Figures.value(host.engine().counters(), "finished_rpc_evictions") > 0) {
            return;
        }
        for (Execution before : next.call.executions) {
            if (before.server == host
                    && before.incarnation == next.incarnation
                    && before.opening == next.opening
                    && before.isFrom(next)
                    && next.startedNs - before.endedNs < host.memoryNs()) {
                throw run.failure(host + " runs a request again " + (next.startedNs - before.endedNs)
                        + " ns after it was last known to run: " + next.call);
            }
        }
    }

    private void reply(Execution execution) {
        if (execution.isOver || execution.incarnation != host.incarnation() || execution.opening != host.openings()) {
            return;
        }
        CallPlan plan = execution.call.plan;
        if (run.plan.swarm.contains(Fault.MISUSE) && run.chance.oneIn(8)) {
            run.coverage.count(Fault.MISUSE);
            Status misused = Status.of(
                    host.engine().reply(execution.handle, Messages.PATTERN, 0, 1_000_001, execution, nowNs()));
            if (misused != Status.INVALID_LENGTH && misused != Status.UNKNOWN_RPC) {
                throw run.failure(host + " takes a reply that is too long: " + misused);
            }
        }
        int result = host.engine()
                .reply(execution.handle, Messages.PATTERN, plan.responseAt(), plan.responseBytes(), execution, nowNs());
        run.coverage.result(result);
        Status status = Status.of(result);
        run.trace.call("replies: " + status, host, execution.call);
        switch (status) {
            case OK -> {
                execution.isOver = true;
                execution.isReplied = true;
                if (run.plan.swarm.contains(Fault.MISUSE) && run.chance.oneIn(4)) {
                    run.coverage.count(Fault.MISUSE);
                    expect(
                            host.engine().reply(execution.handle, Messages.PATTERN, 0, 1, execution, nowNs()),
                            Status.WRONG_STATE,
                            "a second reply");
                }
            }
            case SEND_LIMIT -> blockedReplies.add(execution);
            case UNKNOWN_RPC -> {
                execution.isOver = true;
                if (!run.isHostile() && host.networkErrors() == 0) {
                    throw run.failure(host + " has lost a request in service: " + execution.call);
                }
            }
            case MTU_TOO_SMALL -> {
                if (!host.config().moduleProfile || !run.plan.swarm.contains(Fault.MTU_TOLD)) {
                    throw run.failure(host + " cannot cut the response of " + execution.call);
                }
                dismiss(execution);
            }
            default -> throw run.failure(host + " refuses the response of " + execution.call + ": " + status);
        }
    }

    private void dismiss(Execution execution) {
        if (execution.isOver || execution.incarnation != host.incarnation() || execution.opening != host.openings()) {
            return;
        }
        run.trace.call("dismisses", host, execution.call);
        run.coverage.count(Fault.DISMISSAL);
        int result = host.engine().dismiss(execution.handle, nowNs());
        run.coverage.result(result);
        execution.isOver = true;
        execution.endedNs = nowNs();
        if (result != 0 && !run.isHostile() && host.networkErrors() == 0) {
            throw run.failure(host + " has lost a request in service: " + execution.call);
        }
    }

    // ---- memory

    private Lease lease(int socket, int patternAt) {
        return new Lease(socket, message.regionOffset, message.length, patternAt);
    }

    private void hold(Lease lease, long forNs) {
        leases.add(lease);
        if (forNs == 0 || run.isHealed()) {
            release(lease);
        } else {
            run.coverage.count(Fault.MEMORY_HELD);
            run.later(host, forNs, () -> release(lease));
        }
    }

    /** Gives memory back, after a last look: while the application had it nobody may have written there. */
    private void release(Lease lease) {
        if (!leases.remove(lease) || run.sabotages(Sabotage.LEAKS_MEMORY)) {
            return;
        }
        MemorySegment region = host.region(lease.socket);
        if (!run.isHostile() && Messages.firstWrong(region, lease.offset, lease.length, lease.patternAt) >= 0) {
            throw run.failure(host + " has written to the application's memory at " + lease.offset);
        }
        region.asSlice(lease.offset, lease.length).fill((byte) 0xDD);
        expect(host.engine().release(lease.socket, lease.offset, nowNs()), Status.OK, "releasing memory");
    }

    // ---- coming to an end

    /** From now on nothing is kept or left. */
    void relent() {
        for (Execution execution : List.copyOf(executions)) {
            reply(execution);
        }
        for (Lease lease : List.copyOf(leases)) {
            release(lease);
        }
        readAll();
    }

    /** The sockets are being taken away: nothing is waited for and nothing held any more. */
    void shut() {
        for (Call call : run.calls) {
            if (call.client == host && call.isOpen()) {
                run.coverage.count(Fault.SHUTDOWN);
                run.dropped(call);
                call.state = Call.State.DROPPED;
            }
        }
        for (Call call : blockedCalls) {
            call.state = Call.State.REFUSED;
        }
        forget();
    }

    void crash() {
        for (Call call : run.calls) {
            if (call.client == host && call.incarnation == host.incarnation()) {
                if (call.isOpen() || call.state == Call.State.BLOCKED) {
                    run.dropped(call);
                    call.state = Call.State.LOST;
                }
            }
        }
        forget();
    }

    private void forget() {
        for (Execution execution : executions) {
            execution.isOver = true;
        }
        executions.clear();
        leases.clear();
        blockedCalls.clear();
        blockedReplies.clear();
        readyCalls.clear();
        isReading = false;
    }

    /** What the application still has or waits for; empty if nothing. */
    String pending() {
        if (!leases.isEmpty()) {
            return leases.size() + " messages kept";
        }
        if (!blockedCalls.isEmpty() || !blockedReplies.isEmpty()) {
            return blockedCalls.size() + " calls and " + blockedReplies.size() + " replies wait for WRITABLE";
        }
        long open = executions.stream().filter(execution -> !execution.isOver).count();
        return open > 0 ? open + " requests unanswered" : "";
    }
}
