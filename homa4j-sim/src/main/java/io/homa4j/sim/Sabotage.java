package io.homa4j.sim;

/**
 * Faults that nothing excuses, planted in what surrounds the engine to prove that the checkers bite (SabotageTest). A run
 * has none otherwise.
 */
enum Sabotage {
    NONE,
    /** The shell gives some requests to the application twice. */
    EXECUTES_TWICE,
    /** The engine remembers no ended RPC, while the checker takes the memory for granted. */
    FORGETS_ENDED_RPCS,
    /** The shell loses some RELEASED events. */
    LOSES_RELEASED,
    /** The shell gives some RELEASED events twice. */
    RELEASES_TWICE,
    /** The network changes payload and no checksum notices. */
    FLIPS_PAYLOAD,
    /** The shell loses some outcomes. */
    LOSES_OUTCOMES,
    /** The application does not give back some of its memory. */
    LEAKS_MEMORY,
    /** The shell never calls onTime. */
    STOPS_TIMERS,
    /** Grants grow on their way. */
    INFLATES_GRANTS,
    /** Some packets vanish without being counted as lost. */
    LOSES_UNCOUNTED,
    /** The engine asks nobody for proof, while the checker takes it for granted. */
    TRUSTS_STRANGERS,
    /** The driver sends packets that it says it has not taken. */
    SENDS_UNTAKEN,
    /** The engine gives the oldest message no share. */
    STARVES_THE_OLDEST
}
