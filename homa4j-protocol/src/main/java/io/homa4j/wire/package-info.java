/** The packets of Homa: one final class per packet type, read and written in place. */
@NullMarked
package io.homa4j.wire;

import org.jspecify.annotations.NullMarked;
