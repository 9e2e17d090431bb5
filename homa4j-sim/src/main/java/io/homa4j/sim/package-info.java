/**
 * A datacenter in one thread and one value: real engines, simulated everything else. The same seed and the same commit
 * give the same run, bit for bit.
 *
 * <p>How the parts fit: a {@link io.homa4j.sim.Simulation} has the virtual time, the {@link io.homa4j.sim.EventQueue} and the
 * pool of {@link io.homa4j.sim.SimPacket}s. Whatever acts at a time of its own is an {@link io.homa4j.sim.Actor}; whatever a
 * packet can reach is a {@link io.homa4j.sim.Hop}. A {@link io.homa4j.sim.SimHost} is an engine with its shell; it sends through
 * its uplink, a {@link io.homa4j.sim.Port}, which asks for a packet each time it is idle. Each end of a port's link is a hop:
 * a {@link io.homa4j.sim.Switch}, which queues the packet at another port, or a host.
 *
 * <pre>
 * SimHost --pulled by--&gt; Port --link--&gt; Switch --queued at--&gt; Port --link--&gt; ... --&gt; SimHost
 * </pre>
 *
 * <p>Faults go between a port and its hop: a hop of one's own that passes packets on, late, twice, changed or never.
 *
 * <p>Time is a {@code long} in picoseconds, because then a byte takes a whole number of units at every common rate (800 at
 * 10 Gbit/s, 200 at 40) and no rounding can make two runs or two machines differ; it lasts for 106 days. Engines count
 * nanoseconds, and see the present rounded down.
 *
 * <p>Payload is real or phantom. With real payload a packet carries its bytes to the receiver's memory; with phantom
 * payload only lengths travel, so that messages of any size cost no memory. The engine does the same work either way but
 * for the copy ({@link io.homa4j.protocol.Endpoint#openPhantomSocket}).
 */
@NullMarked
package io.homa4j.sim;

import org.jspecify.annotations.NullMarked;
