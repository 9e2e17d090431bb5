package io.homa4j;

/** Which of a name's addresses to use. */
public enum Family {
    /** The first one the resolver gives, IPv4 or IPv6 (see {@code java.net.preferIPv6Addresses}). */
    ANY,
    /** An IPv4 address; no other. */
    IPV4,
    /** An IPv6 address; no other. */
    IPV6
}
