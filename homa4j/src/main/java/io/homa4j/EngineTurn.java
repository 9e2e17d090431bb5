package io.homa4j;

import io.homa4j.driver.Driver;
import io.homa4j.protocol.Endpoint;
import io.homa4j.protocol.Event;
import io.homa4j.protocol.Message;
import io.homa4j.protocol.PacketBatch;
import io.homa4j.protocol.Status;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One turn of the engine: brings packets, commands and the time to it, takes packets and events from it, in the order that
 * {@link Endpoint} asks for. Knows when the next turn is due, not who makes it. Owner, except where said.
 */
final class EngineTurn {
    private static final int RECEIVE_SLOTS = 64;
    private static final int SEND_SLOTS = 64;
    private static final int SEND_SLOT_BYTES = 128;
    /** Batches per turn and direction, so that neither starves the other. */
    private static final int BATCHES_PER_TURN = 4;

    private static final int COMMANDS_PER_TURN = 1024;
    /** Between two looks at the stack. */
    private static final int CALLS_PER_STACK_CHECK = 32;
    /** A frame of a hundred bytes takes a nanosecond to make at best: so long nobody uses up a stack, ns. */
    private static final long TOO_SHORT_TO_SINK_NS = 2_000;

    private static final int EVENT_ROUNDS = 4;
    /**
     * While packets wait in the driver, peers that seem silent may be heard in the next turn, and asking them to send again
     * would make the queue longer. So the engine's timers wait too, but not for longer than this.
     */
    private static final long LATEST_TIMERS_NS = 50_000_000;
    /** With a full driver, how long to wait for room before trying again. */
    private static final long FULL_DRIVER_NS = 1_000_000;

    /** Where the engine puts the message it is asked for. */
    final Message message = new Message();

    private final EngineLoop loop;
    private final Endpoint endpoint;
    private final Driver driver;
    private final BoundedQueue<Command> commands;
    /** The memory of the two batches, freed with this object. */
    private final Arena arena = Arena.ofAuto();

    private final PacketBatch received;
    private final PacketBatch outgoing;
    private final Event event = new Event();
    /** What the driver learnt while it had a batch of the engine, which may hear of it only afterwards. */
    private final List<Runnable> hints = new ArrayList<>();

    /** How deeply calls of the application's code are nested. */
    private int applicationDepth;
    /** When the innermost was entered. */
    private long applicationNs;
    /** Calls of the engine by that code until its stack is looked at again. */
    private int callsUntilStackCheck;
    /** What it asked for meanwhile, in its order. */
    private @Nullable Command firstLater;

    private @Nullable Command lastLater;
    private boolean isDriverFull;
    /** The latest turn left no packet waiting in the driver. */
    private boolean isDriverDrained;
    /** When the engine's timers were last looked at. */
    private long timersNs;
    /** The engine was given something since packets were last asked of it. */
    private boolean isTouched;

    /** What the driver's queue was last asked to hold, bytes. */
    private long sendQueueAsked;

    private long nowNs;
    /** The time of the latest turn; read by any thread. */
    private volatile long turnedNs;

    EngineTurn(EngineLoop loop, BoundedQueue<Command> commands, long nowNs) {
        this.loop = loop;
        this.endpoint = loop.endpoint;
        this.driver = loop.driver;
        this.commands = commands;
        this.nowNs = nowNs;
        this.turnedNs = nowNs;
        this.timersNs = nowNs;
        int slotBytes = ((driver.maxDatagramBytes() + 64) & ~63) | 64;
        this.received = new PacketBatch(RECEIVE_SLOTS, arena.allocate((long) RECEIVE_SLOTS * slotBytes, 64), slotBytes);
        this.outgoing =
                new PacketBatch(SEND_SLOTS, arena.allocate((long) SEND_SLOTS * SEND_SLOT_BYTES, 64), SEND_SLOT_BYTES);
        driver.feedback(new Driver.Feedback() {
            @Override
            public void unreachable(long peerHi, long peerLo, int port, Status kind) {
                hints.add(() -> endpoint.unreachable(peerHi, peerLo, port, kind, EngineTurn.this.nowNs));
            }

            @Override
            public void pathMtu(long peerHi, long peerLo, int mtu) {
                hints.add(() -> endpoint.pathMtu(peerHi, peerLo, mtu));
            }
        });
    }

    /** The time the engine was last told. */
    long nowNs() {
        return nowNs;
    }

    /** When the latest turn was made. Any thread. */
    long turnedNs() {
        return turnedNs;
    }

    // ---- code of the application on this thread

    /** The owner is about to run code of the application; {@link #leaveApplication} must follow. */
    void enterApplication() {
        applicationDepth++;
        callsUntilStackCheck = 0;
        applicationNs = System.nanoTime();
    }

    /**
     * Code of the application calls the engine. Looking at the stack takes as long as some calls, so it is done when the code has
     * had the time to use much of it, and then for one call of many, for callbacks that sink as they call.
     *
     * @throws StackOverflowError if it has left too little of the stack
     */
    void checkStack() {
        if (applicationDepth > 0
                && --callsUntilStackCheck < 0
                && System.nanoTime() - applicationNs > TOO_SHORT_TO_SINK_NS) {
            SpareStack.check();
            callsUntilStackCheck = CALLS_PER_STACK_CHECK;
        }
    }

    /** Code of the application has returned or thrown: runs what it asked for. */
    void leaveApplication() {
        if (--applicationDepth > 0) {
            return;
        }
        try {
            while (firstLater != null && !loop.isClosed()) {
                run(Objects.requireNonNull(pollLater()));
            }
        } finally {
            // Only if the engine has ended meanwhile.
            for (Command command = pollLater(); command != null; command = pollLater()) {
                command.refuse(loop);
            }
        }
    }

    private @Nullable Command pollLater() {
        Command command = firstLater;
        if (command != null) {
            firstLater = command.nextLater;
            lastLater = firstLater == null ? null : lastLater;
            command.nextLater = null;
            command.isLater = false;
        }
        return command;
    }

    boolean isInApplication() {
        return applicationDepth > 0;
    }

    /**
     * Keeps the command until the application's code has returned. That may have used up its stack: what overflows there must
     * be the application's code, not the engine. Calls nothing, so it either happens whole or not at all.
     */
    void later(Command command) {
        if (command.isLater) {
            return;
        }
        command.isLater = true;
        if (lastLater == null) {
            firstLater = command;
        } else {
            lastLater.nextLater = command;
        }
        lastLater = command;
    }

    /** Whether packets may wait in the driver, or in the engine, that no sleep in the driver would end for. */
    boolean mayHaveMore() {
        return !isDriverDrained || isTouched;
    }

    /** The engine was changed from within a handler or callback: ask it for packets again. */
    void touch() {
        isTouched = true;
    }

    // ---- the turn

    /**
     * Packets before timers, because a process that was stopped must not take its own pause for silence.
     *
     * @return how much was done
     */
    int make(long now) {
        nowNs = now;
        turnedNs = now;
        try {
            int work = receive() + runCommands();
            if (isDriverDrained || now - timersNs >= LATEST_TIMERS_NS) {
                timersNs = now;
                endpoint.onTime(now);
            }
            fireDeadlines();
            work += emit();
            for (int round = 0; round < EVENT_ROUNDS; round++) {
                work += dispatch();
                if (!isTouched) {
                    break;
                }
                work += emit();
            }
            loop.advanceClosing();
            return work;
        } catch (Throwable e) {
            loop.die(e);
            return 1;
        }
    }

    /** Runs a command outside of a turn, and what was queued, and sends what follows from it. */
    void makeFor(@Nullable Command command) {
        nowNs = System.nanoTime();
        try {
            if (command != null) {
                if (loop.isClosed()) {
                    command.refuse(loop);
                    return;
                }
                run(command);
            }
            runCommands();
            emit();
            dispatch();
            loop.advanceClosing();
        } catch (Throwable e) {
            loop.die(e);
        }
    }

    /** Sends what the end of an operation has left to send. */
    void flush() {
        try {
            if (isTouched && !loop.isClosed()) {
                emit();
            }
        } catch (Throwable e) {
            loop.die(e);
        }
    }

    private int receive() {
        int work = 0;
        isDriverDrained = false;
        for (int i = 0; i < BATCHES_PER_TURN; i++) {
            int count = driver.receive(received);
            if (count > 0) {
                endpoint.onPackets(received, nowNs);
                work += count;
            }
            work += takeHints();
            if (count < received.capacity) {
                isDriverDrained = true;
                break;
            }
        }
        loop.sockets.tellCapacity();
        return work;
    }

    /** Tells the engine what the driver has learnt; returns how much that was. */
    private int takeHints() {
        int count = hints.size();
        if (count > 0) {
            hints.forEach(Runnable::run);
            hints.clear();
        }
        return count;
    }

    private int runCommands() {
        int work = 0;
        while (work < COMMANDS_PER_TURN) {
            Command command = commands.poll();
            if (command == null) {
                break;
            }
            run(command);
            work++;
        }
        return work;
    }

    void run(Command command) {
        isTouched = true;
        try {
            command.run(loop, nowNs);
        } catch (Throwable e) {
            loop.die(e);
            // Nobody else knows of it: its caller would wait for ever.
            command.refuse(loop);
            throw e;
        }
    }

    private void fireDeadlines() {
        DeadlineHeap deadlines = loop.deadlines;
        for (Op op = deadlines.first(); op != null && op.deadlineNs - nowNs <= 0; op = deadlines.first()) {
            deadlines.remove(op);
            isTouched = true;
            op.onDeadline(loop, nowNs);
        }
        loop.sockets.limitService(nowNs);
    }

    /** Sends what the engine has to send, as far as the driver takes it. */
    int emit() {
        isTouched = false;
        isDriverFull = false;
        int work = 0;
        for (int i = 0; i < BATCHES_PER_TURN; i++) {
            int room = driver.sendRoomBytes();
            // What the driver says now tells the rate of the link, however long the turn has taken up to here.
            nowNs = System.nanoTime();
            int count = endpoint.pollPackets(outgoing, room, nowNs);
            if (count == 0) {
                isDriverFull = room == 0 && endpoint.refused(nowNs);
                if (isDriverFull) {
                    adjustSendQueue();
                }
                break;
            }
            int sent = driver.send(outgoing);
            endpoint.onSent(sent, nowNs);
            takeHints();
            work += sent;
            if (sent < count) {
                isDriverFull = true;
                adjustSendQueue();
                break;
            }
        }
        return work;
    }

    /** Lets the driver's queue hold what the engine wishes, which depends on the rate it has found. */
    void adjustSendQueue() {
        long wanted = endpoint.wantedSendQueueBytes();
        if (wanted != 0 && wanted != sendQueueAsked) {
            sendQueueAsked = wanted;
            endpoint.sendQueue(driver.sendQueue(wanted));
        }
    }

    /** A port was opened: its queue, too, shall hold what the engine wishes. */
    void adjustSendQueueOfNewPort() {
        sendQueueAsked = 0;
        adjustSendQueue();
    }

    /** Brings the engine's events to whom they concern. */
    int dispatch() {
        int work = 0;
        while (endpoint.pollEvent(event)) {
            work++;
            switch (event.kind) {
                case READABLE -> {
                    SocketCore socket = loop.sockets.get(event.socket);
                    if (socket != null) {
                        socket.onReadable(nowNs);
                    }
                }
                case PRIVATE_READY -> {
                    if (event.attachment instanceof PendingCall call) {
                        call.onReady(loop, event.id, nowNs);
                    }
                }
                case RELEASED -> {
                    if (event.attachment instanceof Outgoing released) {
                        released.onReleased(loop);
                    }
                }
                case WRITABLE -> {
                    SocketCore socket = loop.sockets.get(event.socket);
                    if (socket != null) {
                        socket.deferredSends.retry(this);
                    }
                }
            }
        }
        return work;
    }

    // ---- the next one

    /** When to turn at the latest; {@link Driver#FOREVER}: only for packets and commands. */
    long dueNs() {
        long dueNs = loop.sockets.dueNs(endpoint.nextDeadlineNs(nowNs));
        Op first = loop.deadlines.first();
        return first == null ? dueNs : earlier(dueNs, first.deadlineNs);
    }

    /** Nanoseconds until the next turn if nothing comes; {@link Driver#FOREVER}: it needs something to come. */
    long untilDueNs(long now) {
        return isDriverFull ? FULL_DRIVER_NS : untilNs(dueNs(), now);
    }

    static long untilNs(long dueNs, long now) {
        return dueNs == Driver.FOREVER ? Driver.FOREVER : dueNs - now;
    }

    static long earlier(long a, long b) {
        if (a == Driver.FOREVER || b == Driver.FOREVER) {
            return a == Driver.FOREVER ? b : a;
        }
        return a - b <= 0 ? a : b;
    }
}
