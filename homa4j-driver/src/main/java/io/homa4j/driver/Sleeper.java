package io.homa4j.driver;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.homa4j.driver.libc.EpollEvent;
import io.homa4j.driver.libc.Errno;
import io.homa4j.driver.libc.Libc;
import io.homa4j.driver.libc.TimeSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelector;
import java.nio.channels.spi.SelectorProvider;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sleeps until one of many sockets has something, somebody calls {@link #wake}, or a time is over (epoll, an event counter,
 * {@code epoll_pwait2}), and says without sleeping which sockets have something. Decides nothing; marks the sockets.
 */
final class Sleeper {
    private static final int MAX_EVENTS = 64;
    private static final int NS_PER_SECOND = 1_000_000_000;
    /** What epoll gives back for the event counter; sockets have numbers from 0 on. */
    private static final long COUNTER = -1;

    private final Libc libc;
    /** Several threads may wake at once: nothing reads the error of this one. */
    private final Libc wakersLibc;

    private final int epoll;
    private final int counter;
    /** One thread sleeps at a time. */
    private final ReentrantLock oneSleeper = new ReentrantLock();
    /** Keeps a waker from writing to a descriptor that was just closed. */
    private final Object closing = new Object();

    private final Arena arena = Arena.ofAuto();
    private final Events sleepersEvents = new Events();
    private final Events ownersEvents = new Events();
    private final MemorySegment timeout = arena.allocate(TimeSpec.SIZE, 8);
    private final MemorySegment noTime = arena.allocate(TimeSpec.SIZE, 8);
    private final MemorySegment one = arena.allocateFrom(JAVA_LONG, 1);
    private final MemorySegment count = arena.allocate(8, 8);
    private final MemorySegment registration = arena.allocate(EpollEvent.SIZE, 8);
    private final InterruptHook hook = new InterruptHook();

    /** Sockets by the number under which epoll knows them; a new array at each change. */
    private volatile @Nullable Watched[] watched = new Watched[4];

    private volatile boolean isAsleep;
    private volatile boolean isWakeWanted;
    private volatile boolean isClosed;

    private final class Events {
        final MemorySegment memory = arena.allocate((long) MAX_EVENTS * EpollEvent.SIZE, 8);
    }

    /**
     * @throws KernelSocket.Refused if the process may open no more files
     */
    Sleeper(Supplier<Libc> libcs) throws KernelSocket.Refused {
        libc = libcs.get();
        wakersLibc = libcs.get();
        epoll = libc.epollCreate();
        if (epoll < 0) {
            throw new KernelSocket.Refused("epoll_create1", epoll);
        }
        counter = libc.eventfd();
        if (counter < 0) {
            libc.close(epoll);
            throw new KernelSocket.Refused("eventfd", counter);
        }
        control(libc, EpollEvent.EPOLL_CTL_ADD, counter, EpollEvent.EPOLLIN, COUNTER);
    }

    /** Why nobody can sleep here, as the rest of a sentence; null if one can. Kernels before 5.11 cannot, nor may some containers. */
    static @Nullable String obstacle(Libc libc) {
        int epoll = libc.epollCreate();
        if (epoll < 0) {
            return "epoll_create1: " + Errno.text(epoll);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(EpollEvent.SIZE, 8);
            int result = libc.epollWait(epoll, event, 1, arena.allocate(TimeSpec.SIZE, 8));
            return result < 0 ? "epoll_pwait2: " + Errno.text(result) : null;
        } finally {
            libc.close(epoll);
        }
    }

    private int control(Libc callersLibc, int operation, int descriptor, int events, long number) {
        registration.set(JAVA_INT, EpollEvent.EVENTS, events);
        registration.set(JAVA_LONG_UNALIGNED, EpollEvent.DATA, number);
        return callersLibc.epollControl(epoll, operation, descriptor, registration);
    }

    // ---- which sockets: by the owner

    void watch(Libc ownersLibc, Watched socket) {
        @Nullable Watched[] all = watched;
        int number = 0;
        while (number < all.length && all[number] != null) {
            number++;
        }
        @Nullable Watched[] more = new Watched[Math.max(all.length, 2 * number)];
        System.arraycopy(all, 0, more, 0, all.length);
        more[number] = socket;
        watched = more;
        int result = control(ownersLibc, EpollEvent.EPOLL_CTL_ADD, socket.descriptor, EpollEvent.EPOLLIN, number);
        if (result < 0) {
            throw new IllegalStateException("epoll_ctl: " + Errno.text(result));
        }
    }

    /** The kernel forgets a socket with its last descriptor; this only frees the number. */
    void forget(Watched socket) {
        @Nullable Watched[] fewer = watched.clone();
        for (int i = 0; i < fewer.length; i++) {
            Watched each = fewer[i];
            if (each != null && each.descriptor == socket.descriptor) {
                fewer[i] = null;
            }
        }
        watched = fewer;
    }

    /** Wakes for room to send as well, or no longer. */
    void watchRoom(Libc ownersLibc, Watched socket, boolean on) {
        @Nullable Watched[] all = watched;
        for (int i = 0; i < all.length; i++) {
            Watched each = all[i];
            if (each != null && each.descriptor == socket.descriptor) {
                int events = on ? EpollEvent.EPOLLIN | EpollEvent.EPOLLOUT : EpollEvent.EPOLLIN;
                control(ownersLibc, EpollEvent.EPOLL_CTL_MOD, socket.descriptor, events, i);
                socket.wantsRoom = on;
            }
        }
    }

    /** Marks the sockets that have something, without sleeping. Owner. */
    void look(Libc ownersLibc) {
        int events = ownersLibc.epollWait(epoll, ownersEvents.memory, MAX_EVENTS, noTime);
        mark(ownersEvents, events);
    }

    // ---- sleeping: any thread

    /**
     * See {@link Driver#await}.
     *
     * @return whether every socket that has something is marked now; false if it was woken before it could look
     */
    boolean await(long timeoutNs) {
        oneSleeper.lock();
        try {
            if (isClosed) {
                return false;
            }
            hook.enter();
            try {
                isAsleep = true;
                return !isWakeWanted && sleep(timeoutNs);
            } finally {
                isAsleep = false;
                isWakeWanted = false;
                hook.leave();
            }
        } finally {
            oneSleeper.unlock();
        }
    }

    private boolean sleep(long timeoutNs) {
        MemorySegment end = timeout;
        if (timeoutNs == Driver.FOREVER) {
            end = MemorySegment.NULL;
        } else {
            long ns = Math.max(0, timeoutNs);
            timeout.set(JAVA_LONG, TimeSpec.SECONDS, ns / NS_PER_SECOND);
            timeout.set(JAVA_LONG, TimeSpec.NANOSECONDS, ns % NS_PER_SECOND);
        }
        int events = libc.epollWait(epoll, sleepersEvents.memory, MAX_EVENTS, end);
        mark(sleepersEvents, events);
        return events >= 0 && events < MAX_EVENTS;
    }

    private void mark(Events events, int number) {
        @Nullable Watched[] all = watched;
        for (int i = 0; i < number; i++) {
            long at = (long) i * EpollEvent.SIZE;
            long which = events.memory.get(JAVA_LONG_UNALIGNED, at + EpollEvent.DATA);
            if (which == COUNTER) {
                if (events == sleepersEvents) {
                    libc.read(counter, count, 8);
                }
                continue;
            }
            Watched socket = which < all.length ? all[(int) which] : null;
            if (socket != null) {
                int bits = events.memory.get(JAVA_INT, at + EpollEvent.EVENTS);
                socket.isReadable = true;
                if ((bits & EpollEvent.EPOLLOUT) != 0) {
                    socket.hasRoom = true;
                }
                if ((bits & EpollEvent.EPOLLERR) != 0) {
                    socket.hasErrors = true;
                }
            }
        }
    }

    /** See {@link Driver#wake}. The system call is made only when somebody sleeps. */
    void wake() {
        isWakeWanted = true;
        if (isAsleep) {
            synchronized (closing) {
                if (!isClosed) {
                    wakersLibc.write(counter, one, 8);
                }
            }
        }
    }

    /** Lets whoever sleeps return, then closes the descriptors. */
    void close() {
        wake();
        synchronized (closing) {
            if (isClosed) {
                return;
            }
            isClosed = true;
            // Someone about to sleep has not been seen yet.
            wakersLibc.write(counter, one, 8);
        }
        oneSleeper.lock();
        try {
            libc.close(counter);
            libc.close(epoll);
        } finally {
            oneSleeper.unlock();
        }
    }

    /** The JDK's own way to be told that a thread in a foreign wait is interrupted: {@link AbstractSelector#begin}. */
    private final class InterruptHook extends AbstractSelector {
        InterruptHook() {
            super(SelectorProvider.provider());
        }

        void enter() {
            begin();
        }

        void leave() {
            end();
        }

        @Override
        public Selector wakeup() {
            wake();
            return this;
        }

        @Override
        protected void implCloseSelector() {}

        @Override
        protected SelectionKey register(
                AbstractSelectableChannel channel, int operations, @Nullable Object attachment) {
            throw new UnsupportedOperationException("only a hook: " + channel);
        }

        @Override
        public Set<SelectionKey> keys() {
            return Set.of();
        }

        @Override
        public Set<SelectionKey> selectedKeys() {
            return Set.of();
        }

        @Override
        public int selectNow() {
            return 0;
        }

        @Override
        public int select(long timeoutMs) {
            return 0;
        }

        @Override
        public int select() {
            return 0;
        }
    }
}
