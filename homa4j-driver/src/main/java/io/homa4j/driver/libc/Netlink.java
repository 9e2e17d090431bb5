package io.homa4j.driver.libc;

/** Messages of rtnetlink ({@code linux/rtnetlink.h}): interfaces, addresses, routes, neighbours. */
public final class Netlink {
    public static final int AF_NETLINK = 16;
    public static final int NETLINK_ROUTE = 0;
    public static final int SOL_NETLINK = 270;
    /** Option: the kernel believes what a request says, and refuses what it does not know. */
    public static final int GET_STRICT_CHK = 12;

    // struct sockaddr_nl.
    public static final int ADDRESS_SIZE = 12;
    /** {@code int}: a set of the groups below. */
    public static final int ADDRESS_GROUPS = 8;

    public static final int GROUP_LINK = 0x1;
    public static final int GROUP_NEIGHBOUR = 0x4;
    public static final int GROUP_IPV4_ADDRESS = 0x10;
    public static final int GROUP_IPV4_ROUTE = 0x40;
    public static final int GROUP_IPV6_ADDRESS = 0x100;
    public static final int GROUP_IPV6_ROUTE = 0x400;

    // struct nlmsghdr; messages stand at multiples of four bytes.
    public static final int HEADER_SIZE = 16;
    /** {@code int}. */
    public static final int LENGTH = 0;
    /** {@code short}. */
    public static final int TYPE = 4;
    /** {@code short}. */
    public static final int FLAGS = 6;
    /** {@code int}. */
    public static final int SEQUENCE = 8;

    public static final int ERROR = 2;
    public static final int DONE = 3;
    public static final int F_REQUEST = 1;
    public static final int F_ACK = 4;
    /** In an answer: the list changed while it was read. */
    public static final int F_DUMP_INTERRUPTED = 0x10;

    public static final int F_DUMP = 0x300;

    public static final int NEW_LINK = 16;
    public static final int DELETE_LINK = 17;
    public static final int GET_LINK = 18;
    public static final int SET_LINK = 19;
    public static final int NEW_ADDRESS = 20;
    public static final int DELETE_ADDRESS = 21;
    public static final int GET_ADDRESS = 22;
    public static final int NEW_ROUTE = 24;
    public static final int DELETE_ROUTE = 25;
    public static final int GET_ROUTE = 26;
    public static final int NEW_NEIGHBOUR = 28;
    public static final int DELETE_NEIGHBOUR = 29;
    public static final int GET_NEIGHBOUR = 30;

    // struct rtattr; attributes stand at multiples of four bytes.
    public static final int ATTRIBUTE_HEADER = 4;
    /** {@code short}. */
    public static final int ATTRIBUTE_LENGTH = 0;
    /** {@code short}. */
    public static final int ATTRIBUTE_TYPE = 2;
    /** The type without its flags. */
    public static final int ATTRIBUTE_TYPE_MASK = 0x3FFF;

    public static final int NESTED = 0x8000;

    // struct ifinfomsg.
    public static final int LINK_SIZE = 16;
    /** {@code short}: the kind of hardware. */
    public static final int LINK_HARDWARE = 2;
    /** {@code int}. */
    public static final int LINK_INDEX = 4;
    /** {@code int}. */
    public static final int LINK_FLAGS = 8;

    public static final int HARDWARE_ETHERNET = 1;
    public static final int IFF_UP = 1;
    public static final int IFLA_ADDRESS = 1;
    public static final int IFLA_IFNAME = 3;
    public static final int IFLA_MTU = 4;
    public static final int IFLA_NUM_RX_QUEUES = 32;
    public static final int IFLA_XDP = 43;
    public static final int IFLA_XDP_FD = 1;
    public static final int IFLA_XDP_FLAGS = 3;
    public static final int IFLA_XDP_PROG_ID = 4;
    public static final int IFLA_XDP_EXPECTED_FD = 8;

    // struct ifaddrmsg.
    public static final int IFADDR_SIZE = 8;
    /** {@code byte}. */
    public static final int IFADDR_FAMILY = 0;
    /** {@code byte}. */
    public static final int IFADDR_SCOPE = 3;

    public static final int IFA_ADDRESS = 1;
    public static final int IFA_LOCAL = 2;
    /** Link-local addresses and, above, those of the host alone. */
    public static final int SCOPE_LINK = 253;

    // struct rtmsg.
    public static final int ROUTE_SIZE = 12;
    /** {@code byte}. */
    public static final int ROUTE_FAMILY = 0;
    /** {@code byte}: bits. */
    public static final int ROUTE_TARGET_LENGTH = 1;
    /** {@code byte}: bits. */
    public static final int ROUTE_SOURCE_LENGTH = 2;
    /** {@code byte}. */
    public static final int ROUTE_TYPE = 7;

    public static final int TYPE_UNICAST = 1;
    public static final int RTA_DST = 1;
    public static final int RTA_SRC = 2;
    public static final int RTA_OIF = 4;
    public static final int RTA_GATEWAY = 5;
    public static final int RTA_PREFSRC = 7;
    public static final int RTA_METRICS = 8;
    public static final int RTA_VIA = 18;
    public static final int RTA_ENCAP = 22;
    /** Among the metrics. */
    public static final int RTAX_MTU = 2;
    /** Among the metrics. */
    public static final int RTAX_HOPLIMIT = 10;

    // struct ndmsg.
    public static final int NEIGHBOUR_SIZE = 12;
    /** {@code byte}. */
    public static final int NEIGHBOUR_FAMILY = 0;
    /** {@code int}. */
    public static final int NEIGHBOUR_INTERFACE = 4;
    /** {@code short}. */
    public static final int NEIGHBOUR_STATE = 8;

    public static final int NDA_DST = 1;
    public static final int NDA_LLADDR = 2;
    public static final int STATE_REACHABLE = 2;
    public static final int STATE_STALE = 4;
    public static final int STATE_DELAY = 8;
    public static final int STATE_PROBE = 16;
    public static final int STATE_NOARP = 64;
    public static final int STATE_PERMANENT = 128;

    private Netlink() {}
}
