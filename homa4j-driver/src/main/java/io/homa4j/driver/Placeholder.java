package io.homa4j.driver;

/** Keeps the exported package from being empty; goes away with the first real class. */
final class Placeholder {
    private Placeholder() {}
}
