package io.homa4j.driver.libc;

/**
 * {@code struct sock_filter}: one instruction of a classic BPF program, which lets a socket see only some packets; and
 * {@code struct sock_fprog}, which points to a program.
 */
public final class SocketFilter {
    /** Bytes of one instruction. */
    public static final int SIZE = 8;
    /** {@code short}. */
    public static final int CODE = 0;
    /** {@code byte}: instructions to skip if the condition is true. */
    public static final int JUMP_TRUE = 2;
    /** {@code byte}: instructions to skip if it is false. */
    public static final int JUMP_FALSE = 3;
    /** {@code int}. */
    public static final int OPERAND = 4;

    /** Instructions in a program at most (BPF_MAXINSNS). */
    public static final int MAX_INSTRUCTIONS = 4096;

    /** X = four times the low half of the byte at OPERAND: the length of an IPv4 header. */
    public static final int LOAD_IPV4_HEADER_LENGTH = 0xB1;
    /** A = the 16-bit number at OPERAND. */
    public static final int LOAD_16_AT = 0x28;
    /** A = the 16-bit number at X + OPERAND. */
    public static final int LOAD_16_BEHIND_X = 0x48;
    /** Jumps by whether A is OPERAND. */
    public static final int JUMP_IF_EQUAL = 0x15;
    /** Ends: the packet is cut to OPERAND bytes; 0 drops it. */
    public static final int RETURN = 0x06;

    /** Bytes of {@code struct sock_fprog}. */
    public static final int PROGRAM_SIZE = 16;
    /** {@code short}: number of instructions. */
    public static final int PROGRAM_LENGTH = 0;
    /** Address of the instructions. */
    public static final int PROGRAM_INSTRUCTIONS = 8;

    private SocketFilter() {}
}
