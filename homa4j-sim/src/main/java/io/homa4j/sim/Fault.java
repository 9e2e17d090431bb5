package io.homa4j.sim;

/** What a run may be troubled by, as the coverage table of a campaign names it. */
enum Fault {
    LOSS("packets lost on links"),
    OVERFLOW("packets lost in full queues and socket buffers"),
    DUPLICATION("packets that arrived twice"),
    REORDERING("packets overtaken by later ones"),
    JITTER("packets delayed"),
    CORRUPTION("packets damaged and caught by a checksum"),
    HOSTILE_CORRUPTION("packets whose damage no checksum caught"),
    CLOG("links that held everything back for a while"),
    PARTITION("pairs of hosts cut off from each other"),
    ONE_WAY_PARTITION("pairs of hosts cut off in one direction"),
    CRASH("hosts that crashed for good"),
    RESTART("hosts that crashed and came back as they were"),
    RESTART_ELSEWHERE("hosts that came back at another address"),
    RESTART_OTHER_PORTS("hosts that came back with other ports"),
    PAUSE("hosts stopped for a while"),
    CLOCK_SKEW("hosts whose clock runs fast or slow"),
    DRIVER_FULL("batches of which the driver took a part"),
    NETWORK_ERROR("network errors told to engines"),
    MTU_TOLD("paths that shrank and said so"),
    MTU_BLACK_HOLE("packets lost in paths that shrank in silence"),
    NAT_REBINDING("clients whose visible ports changed"),
    MODULE_PEER("hosts with profile module"),
    STRIPPED_PEER("hosts with the stripped variant"),
    RANDOM_PARAMETERS("hosts with parameters drawn by lot"),
    RECONFIGURATION("reconfigurations of running engines"),
    TINY_TABLES("hosts with tiny tables"),
    OVER_IPV6("hosts with IPv6"),
    OVER_TUNNEL("runs over the UDP tunnel"),
    OVER_IP("runs over IP protocol 146"),
    SLOW_REPLY("replies that came late"),
    NO_REPLY("requests left unanswered to the end"),
    DISMISSAL("requests dismissed"),
    LATE_READ("messages read late"),
    MEMORY_HELD("messages kept for long"),
    ABORT("calls aborted"),
    FORGET("calls forgotten"),
    ABORT_ALL("sockets whose calls were all aborted"),
    SHUTDOWN("sockets shut down with calls open"),
    REOPENING("sockets closed and opened again"),
    NEW_CUTOFFS("tables of cutoffs installed"),
    MISUSE("commands that make no sense"),
    CROWD("runs with a crowd of short messages against a long one");

    /** What is counted. */
    final String text;

    Fault(String text) {
        this.text = text;
    }
}
