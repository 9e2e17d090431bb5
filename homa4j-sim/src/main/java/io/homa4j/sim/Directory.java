package io.homa4j.sim;

/** Which host has an address. */
public interface Directory {
    /** Number of the host that has the address, -1 if nobody has it; packets to it are lost. */
    int hostAt(long hi, long lo);
}
