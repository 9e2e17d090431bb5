package io.homa4j.protocol;

/** The size of packets towards hosts whose path the network has said nothing about: a function without side effects. */
@FunctionalInterface
public interface PathMtus {
    /** Bytes of the largest IP packet towards this address. */
    int mtu(long hi, long lo);
}
