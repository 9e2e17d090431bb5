/**
 * The packets of Homa, read and written in place (spec/protocol.md 2). Nothing here knows RPCs, peers or time.
 *
 * <p>The packet path uses static methods on (segment, position), which allocate nothing:
 *
 * <ul>
 *   <li>{@link io.homa4j.wire.PacketType}: the types, and the check of a received packet that makes all later reads
 *       safe. Call it first.
 *   <li>{@link io.homa4j.wire.CommonHeader}: the 28 bytes every packet starts with.
 *   <li>{@link io.homa4j.wire.DataHeader}, {@link io.homa4j.wire.GrantHeader}, {@link io.homa4j.wire.ResendHeader},
 *       {@link io.homa4j.wire.CutoffsHeader}, {@link io.homa4j.wire.AckHeader}: what follows them.
 *   <li>{@link io.homa4j.wire.RpcUnknownHeader}, {@link io.homa4j.wire.BusyHeader}, {@link
 *       io.homa4j.wire.NeedAckHeader}, {@link io.homa4j.wire.FreezeHeader}: nothing follows.
 *   <li>{@link io.homa4j.wire.Checksum}: the TCP checksum over a packet.
 *   <li>{@link io.homa4j.wire.SuperPacket}: several segments behind one header, for segmentation offload.
 * </ul>
 *
 * <p>People, tests and tools use values: {@link io.homa4j.wire.Packet} with one record per type, all built on {@link
 * io.homa4j.wire.Common}.
 *
 * <p>Values that a hostile peer chose are returned as they are; the engine clips them. Unsigned 64-bit ids are longs.
 */
@NullMarked
package io.homa4j.wire;

import org.jspecify.annotations.NullMarked;
