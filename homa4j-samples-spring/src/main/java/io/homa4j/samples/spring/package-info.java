/**
 * Spring gRPC over Homa: the two factories are all that an application needs, {@link io.homa4j.samples.spring.SpringHello} is one that
 * uses them.
 */
@NullMarked
package io.homa4j.samples.spring;

import org.jspecify.annotations.NullMarked;
