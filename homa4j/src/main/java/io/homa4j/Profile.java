package io.homa4j;

import io.homa4j.protocol.Config;

/** Whose behaviour the engine shows. */
public enum Profile {
    /** homa4j's own: what is better where peers cannot be hurt by it. */
    DEFAULT,
    /** The kernel module's, as far as captures of it show it; over the encapsulation asked for. */
    MODULE;

    Config config() {
        return this == MODULE ? Config.module() : Config.defaults();
    }
}
