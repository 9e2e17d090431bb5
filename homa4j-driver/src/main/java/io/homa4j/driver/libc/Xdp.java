package io.homa4j.driver.libc;

/** Structures and numbers of AF_XDP ({@code linux/if_xdp.h}), and the flags with which an XDP program is attached. */
public final class Xdp {
    public static final int AF_XDP = 44;
    public static final int SOL_XDP = 283;

    // Options of an AF_XDP socket.
    public static final int MMAP_OFFSETS = 1;
    public static final int RX_RING = 2;
    public static final int TX_RING = 3;
    public static final int UMEM_REG = 4;
    public static final int UMEM_FILL_RING = 5;
    public static final int UMEM_COMPLETION_RING = 6;
    public static final int STATISTICS = 7;

    // Where mmap finds the rings.
    public static final long PGOFF_RX_RING = 0;
    public static final long PGOFF_TX_RING = 0x8000_0000L;
    public static final long PGOFF_FILL_RING = 0x1_0000_0000L;
    public static final long PGOFF_COMPLETION_RING = 0x1_8000_0000L;

    // struct xdp_umem_reg.
    public static final int UMEM_SIZE = 32;
    public static final int UMEM_ADDRESS = 0;
    public static final int UMEM_LENGTH = 8;
    /** {@code int}. */
    public static final int UMEM_CHUNK_SIZE = 16;
    /** {@code int}. */
    public static final int UMEM_HEADROOM = 20;

    // struct xdp_mmap_offsets: four of struct xdp_ring_offset, each four longs.
    public static final int OFFSETS_SIZE = 128;
    public static final int OFFSETS_RX = 0;
    public static final int OFFSETS_TX = 32;
    public static final int OFFSETS_FILL = 64;
    public static final int OFFSETS_COMPLETION = 96;
    public static final int OFFSET_PRODUCER = 0;
    public static final int OFFSET_CONSUMER = 8;
    public static final int OFFSET_DESCRIPTORS = 16;
    public static final int OFFSET_FLAGS = 24;

    /** In the flags of a ring: nothing happens there until a system call is made. */
    public static final int RING_NEED_WAKEUP = 1;

    // struct xdp_desc: a frame in the rings for receiving and sending; the two others hold addresses only.
    public static final int DESCRIPTOR_SIZE = 16;
    /** {@code long}: offset in the UMEM. */
    public static final int DESCRIPTOR_ADDRESS = 0;
    /** {@code int}. */
    public static final int DESCRIPTOR_LENGTH = 8;
    /** {@code int}. */
    public static final int DESCRIPTOR_OPTIONS = 12;

    // struct sockaddr_xdp.
    public static final int ADDRESS_SIZE = 16;
    /** {@code short}. */
    public static final int ADDRESS_FAMILY = 0;
    /** {@code short}: a set of the bits below. */
    public static final int ADDRESS_FLAGS = 2;
    /** {@code int}. */
    public static final int ADDRESS_INTERFACE = 4;
    /** {@code int}. */
    public static final int ADDRESS_QUEUE = 8;

    public static final int COPY = 2;
    public static final int ZEROCOPY = 4;
    public static final int USE_NEED_WAKEUP = 8;

    // struct xdp_statistics: longs that count on.
    public static final int STATISTICS_SIZE = 48;
    public static final int STATISTICS_DROPPED = 0;
    public static final int STATISTICS_INVALID_RX = 8;
    public static final int STATISTICS_INVALID_TX = 16;
    public static final int STATISTICS_RX_FULL = 24;
    public static final int STATISTICS_FILL_EMPTY = 32;

    /** Bytes the kernel keeps free before a received frame. */
    public static final int PACKET_HEADROOM = 256;

    // How a program is attached.
    public static final int FLAGS_UPDATE_IF_NOEXIST = 1;
    public static final int FLAGS_SKB_MODE = 2;
    public static final int FLAGS_DRV_MODE = 4;
    public static final int FLAGS_REPLACE = 16;

    // struct xdp_md, as a program sees it.
    public static final int CONTEXT_DATA = 0;
    public static final int CONTEXT_DATA_END = 4;
    public static final int CONTEXT_QUEUE = 16;

    /** What a program returns to let the kernel go on with the packet. */
    public static final int PASS = 2;

    private Xdp() {}
}
