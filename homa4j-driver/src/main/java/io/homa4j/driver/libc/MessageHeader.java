package io.homa4j.driver.libc;

/** {@code struct mmsghdr}: one message of {@code sendmmsg} and {@code recvmmsg}; begins with its {@code struct msghdr}. */
public final class MessageHeader {
    public static final int SIZE = 64;
    /** Address of a {@link SocketAddress}. */
    public static final int NAME = 0;
    /** {@code int}; receiving: room before, bytes after. */
    public static final int NAME_LENGTH = 8;
    /** Address of an array of {@link IoVector}. */
    public static final int VECTOR = 16;
    /** {@code long}. */
    public static final int VECTOR_COUNT = 24;
    /** Address of {@link ControlMessage}s. */
    public static final int CONTROL = 32;
    /** {@code long}; receiving: room before, bytes after. */
    public static final int CONTROL_LENGTH = 40;
    /** {@code int}, set on receipt. */
    public static final int FLAGS = 48;
    /** {@code int}: bytes sent or received. */
    public static final int TRANSFERRED = 56;

    private MessageHeader() {}
}
