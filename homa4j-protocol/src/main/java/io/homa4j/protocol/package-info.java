/** The protocol engine: packets, commands and the time go in; packets, events and a deadline come out. */
@NullMarked
package io.homa4j.protocol;

import org.jspecify.annotations.NullMarked;
