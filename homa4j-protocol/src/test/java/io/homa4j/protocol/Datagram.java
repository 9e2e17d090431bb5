package io.homa4j.protocol;

/**
 * A packet on its way to an engine.
 *
 * @param bytes the whole Homa packet
 * @param hi source address, high half
 * @param lo source address, low half
 * @param port UDP port it comes from; not looked at over IP 146
 * @param localHi address it was sent to, high half
 * @param localLo address it was sent to, low half
 * @param socket number of the socket it came in on, -1 if the header's port shall say it
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Datagram(byte[] bytes, long hi, long lo, int port, long localHi, long localLo, int socket) {}
