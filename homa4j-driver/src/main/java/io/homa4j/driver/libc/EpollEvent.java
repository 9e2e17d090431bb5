package io.homa4j.driver.libc;

/** {@code struct epoll_event}: packed on x86-64, and only there. */
public final class EpollEvent {
    private static final boolean IS_PACKED = System.getProperty("os.arch").equals("amd64");

    public static final int SIZE = IS_PACKED ? 12 : 16;
    /** {@code int}: a set of the bits below. */
    public static final int EVENTS = 0;
    /** {@code long}, perhaps unaligned: whatever was registered. */
    public static final int DATA = IS_PACKED ? 4 : 8;

    public static final int EPOLLIN = 1;
    public static final int EPOLLOUT = 4;
    public static final int EPOLLERR = 8;

    public static final int EPOLL_CTL_ADD = 1;
    public static final int EPOLL_CTL_DEL = 2;
    public static final int EPOLL_CTL_MOD = 3;

    private EpollEvent() {}
}
