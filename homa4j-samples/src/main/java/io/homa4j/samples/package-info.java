/** Samples: one file per idea. */
@NullMarked
package io.homa4j.samples;

import org.jspecify.annotations.NullMarked;
