/** Sockets, calls and the threads that turn the engine: what applications use. */
@NullMarked
package io.homa4j;

import org.jspecify.annotations.NullMarked;
