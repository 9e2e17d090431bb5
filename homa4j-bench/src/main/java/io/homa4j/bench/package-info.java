/** JMH measurements of the hot paths. */
@NullMarked
package io.homa4j.bench;

import org.jspecify.annotations.NullMarked;
