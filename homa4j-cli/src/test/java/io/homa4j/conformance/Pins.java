package io.homa4j.conformance;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The rows of the specification that a test really pins: P-001 to P-271 (spec/protocol.md 9) and S-001 to S-401
 * (spec/edge-cases-2.md). The conformance table is made from these marks.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Pins {
    String[] value();
}
