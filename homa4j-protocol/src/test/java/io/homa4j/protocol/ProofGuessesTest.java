package io.homa4j.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Who is still believed after wrong versions. */
class ProofGuessesTest {
    private final Turn turn = new Turn(Config.defaults(), 0);
    private final ProofGuesses guesses = new ProofGuesses(turn, new KeyedHash(11));

    /** Their versions differ, because each is a hash of the client's address; each repeats its own. */
    @Test
    void manyClientsOfAFormerServerDoNotHinderEachOther() {
        int clients = 20_000;
        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < clients; i++) {
                guesses.wrong(0, i, 4000, 1 + i % 60_000);
            }
        }
        int believed = 0;
        for (int i = 0; i < clients; i++) {
            believed += guesses.mayBelieve(0, i, 4000) ? 1 : 0;
        }
        assertThat(believed).isGreaterThan(clients * 99 / 100);
    }

    @Test
    void othersDoNotMakeAGuesserForgotten() {
        for (int version = 1; version <= 6; version++) {
            guesses.wrong(0, 7, 4000, version);
        }
        for (int i = 1_000; i < 200_000; i++) {
            guesses.wrong(0, i, 4000, 1 + i % 60_000);
        }
        assertThat(guesses.mayBelieve(0, 7, 4000)).isFalse();
    }
}
