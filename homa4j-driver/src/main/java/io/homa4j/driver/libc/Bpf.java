package io.homa4j.driver.libc;

/** Commands, attributes and instructions of the {@code bpf} system call ({@code linux/bpf.h}). */
public final class Bpf {
    // Commands.
    public static final int MAP_CREATE = 0;
    public static final int MAP_UPDATE_ELEM = 2;
    public static final int MAP_DELETE_ELEM = 3;
    public static final int PROG_LOAD = 5;
    public static final int PROG_GET_FD_BY_ID = 13;
    public static final int OBJ_GET_INFO_BY_FD = 15;
    public static final int LINK_CREATE = 28;

    /** Bytes of {@code union bpf_attr} as far as it is used here; what is behind is zero for the kernel. */
    public static final int ATTRIBUTE_SIZE = 120;

    // MAP_CREATE: ints.
    public static final int MAP_TYPE = 0;
    public static final int MAP_KEY_SIZE = 4;
    public static final int MAP_VALUE_SIZE = 8;
    public static final int MAP_MAX_ENTRIES = 12;
    public static final int MAP_FLAGS = 16;
    /** {@link #NAME_SIZE} bytes with the final zero. */
    public static final int MAP_NAME = 28;

    public static final int NAME_SIZE = 16;
    public static final int MAP_TYPE_HASH = 1;
    public static final int MAP_TYPE_XSKMAP = 17;
    public static final int F_NO_PREALLOC = 1;

    // MAP_UPDATE_ELEM, MAP_DELETE_ELEM.
    /** {@code int}. */
    public static final int ELEM_MAP = 0;
    /** Address. */
    public static final int ELEM_KEY = 8;
    /** Address. */
    public static final int ELEM_VALUE = 16;

    // PROG_LOAD.
    /** {@code int}. */
    public static final int PROG_TYPE = 0;
    /** {@code int}: number of instructions. */
    public static final int PROG_LENGTH = 4;
    /** Address. */
    public static final int PROG_INSTRUCTIONS = 8;
    /** Address. */
    public static final int PROG_LICENSE = 16;
    /** {@code int}. */
    public static final int PROG_LOG_LEVEL = 24;
    /** {@code int}. */
    public static final int PROG_LOG_SIZE = 28;
    /** Address. */
    public static final int PROG_LOG = 32;
    /** {@link #NAME_SIZE} bytes. */
    public static final int PROG_NAME = 48;
    /** {@code int}. */
    public static final int PROG_ATTACH_TYPE = 68;

    public static final int PROG_TYPE_XDP = 6;
    public static final int ATTACH_XDP = 37;

    // LINK_CREATE: ints.
    public static final int LINK_PROGRAM = 0;
    public static final int LINK_INTERFACE = 4;
    public static final int LINK_ATTACH_TYPE = 8;
    public static final int LINK_FLAGS = 12;

    /** PROG_GET_FD_BY_ID: {@code int}. */
    public static final int ID = 0;

    // OBJ_GET_INFO_BY_FD.
    /** {@code int}. */
    public static final int INFO_DESCRIPTOR = 0;
    /** {@code int}: room before, bytes after. */
    public static final int INFO_LENGTH = 4;
    /** Address. */
    public static final int INFO_ADDRESS = 8;

    // struct bpf_prog_info, its beginning.
    public static final int PROG_INFO_SIZE = 80;
    /** {@link #NAME_SIZE} bytes. */
    public static final int PROG_INFO_NAME = 64;

    // struct bpf_insn.
    public static final int INSTRUCTION_SIZE = 8;
    /** {@code byte}. */
    public static final int CODE = 0;
    /** {@code byte}: target register in the low half, source register in the high one. */
    public static final int REGISTERS = 1;
    /** {@code short}, signed. */
    public static final int OFFSET = 2;
    /** {@code int}. */
    public static final int IMMEDIATE = 4;

    /** Source register of the load of a 64-bit number that is the descriptor of a map. */
    public static final int PSEUDO_MAP_FD = 1;

    // Operation codes.
    public static final int LOAD_64 = 0x18;
    public static final int LOAD_BYTE = 0x71;
    public static final int LOAD_SHORT = 0x69;
    public static final int LOAD_INT = 0x61;
    public static final int STORE_INT = 0x63;
    public static final int STORE_INT_IMMEDIATE = 0x62;
    public static final int MOVE = 0xBF;
    public static final int MOVE_IMMEDIATE = 0xB7;
    public static final int ADD_IMMEDIATE = 0x07;
    public static final int SUBTRACT = 0x1F;
    public static final int AND_IMMEDIATE = 0x57;
    public static final int JUMP = 0x05;
    public static final int JUMP_IF_EQUAL_IMMEDIATE = 0x15;
    public static final int JUMP_IF_NOT_EQUAL_IMMEDIATE = 0x55;
    /** On the low 32 bits. */
    public static final int JUMP32_IF_NOT_EQUAL_IMMEDIATE = 0x56;

    public static final int JUMP_IF_NOT_EQUAL = 0x5D;
    public static final int JUMP_IF_GREATER = 0x2D;
    public static final int JUMP_IF_GREATER_IMMEDIATE = 0x25;
    public static final int CALL = 0x85;
    public static final int EXIT = 0x95;

    // Functions of the kernel.
    public static final int MAP_LOOKUP_ELEM = 1;
    public static final int REDIRECT_MAP = 51;

    private Bpf() {}
}
