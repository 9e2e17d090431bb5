/**
 * How packets reach the network and come from it. {@link io.homa4j.driver.Driver} is the seam;
 * {@link io.homa4j.driver.Datapath} chooses between {@link io.homa4j.driver.PortableDriver}, which needs nothing but the JDK,
 * and {@link io.homa4j.driver.SyscallDriver}, which is for Linux; {@link io.homa4j.driver.FaultyDriver} and
 * {@link io.homa4j.driver.PcapDriver} go around another driver, to harm its packets or to write them down.
 * {@link io.homa4j.driver.PcapFile} reads captures.
 */
@NullMarked
package io.homa4j.driver;

import org.jspecify.annotations.NullMarked;
