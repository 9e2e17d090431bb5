package io.homa4j.cli;

/** The homa command. */
final class Homa {
    private Homa() {}

    public static void main(String[] args) {
        System.out.println("homa4j");
    }
}
