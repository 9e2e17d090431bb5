/**
 * The system calls of Linux that the drivers use, bound by hand through the Foreign Function and Memory API: the only place
 * that touches {@link java.lang.foreign.Linker}. Functions are in {@link io.homa4j.driver.libc.Libc}; memory layouts are
 * classes of offsets ({@link io.homa4j.driver.libc.MessageHeader} and its neighbours), for 64-bit little-endian Linux.
 */
@NullMarked
package io.homa4j.driver.libc;

import org.jspecify.annotations.NullMarked;
