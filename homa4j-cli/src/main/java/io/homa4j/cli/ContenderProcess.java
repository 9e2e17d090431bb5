package io.homa4j.cli;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import io.homa4j.Encapsulation;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The processes of {@code homa bench peers}: one contender's server or client each, told what to do in lines.
 *
 * <pre>
 * server:  open   -&gt;  ready PORT
 *          usage  -&gt;  usage CPU_NS ALLOCATED_BYTES
 *          close  -&gt;  closed
 * client:  run PORT REQUEST_BYTES RESPONSE_BYTES OUTSTANDING SECONDS
 *          mix PORT BULK_UNITS_PER_S SHORTS_PER_S SECONDS
 *                 -&gt;  result ANSWERS ERRORS RPCS_PER_S GBIT_OUT GBIT_IN P50_US P99_US P999_US CPU_NS ALLOCATED_BYTES
 * either:             failed REASON
 * </pre>
 *
 * Of a mixed load ({@link MixedLoad}) the result tells of the short calls, but the throughput is that of the bulk. CPU time and
 * allocation are the whole process's, from the first request to the last answer.
 */
@Command(
        name = "bench-contender",
        hidden = true,
        description = "A process of homa bench peers.",
        mixinStandardHelpOptions = true)
final class ContenderProcess implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Those that need nothing but this module, and those found as services. */
    static List<Contender> contenders() {
        List<Contender> all = new ArrayList<>(List.of(
                new HomaContender("homa-udp", Encapsulation.UDP, "auto", HomaContender.Threads.CALLER),
                new HomaContender("homa-udp/engine-thread", Encapsulation.UDP, "auto", HomaContender.Threads.ENGINE),
                new HomaContender("homa-udp/virtual-thread", Encapsulation.UDP, "auto", HomaContender.Threads.VIRTUAL),
                new HomaContender("homa-ip", Encapsulation.IP, "syscalls", HomaContender.Threads.CALLER),
                new HomaContender("homa-xdp", Encapsulation.UDP, "xdp", HomaContender.Threads.CALLER),
                new TcpContender()));
        ServiceLoader.load(Contender.class).forEach(all::add);
        return all;
    }

    static @Nullable Contender contender(String id) {
        return contenders().stream()
                .filter(contender -> contender.id().equals(id))
                .findFirst()
                .orElse(null);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "missing command");
    }

    @Command(name = "server", mixinStandardHelpOptions = true)
    int server(
            @Option(names = "--id", required = true) String id,
            @Option(names = "--waiting", required = true) Contender.Waiting waiting,
            @Option(names = "--local", required = true) InetAddress local)
            throws Exception {
        return obey(new ServerRole(known(id), waiting, local));
    }

    @Command(name = "client", mixinStandardHelpOptions = true)
    int client(
            @Option(names = "--id", required = true) String id,
            @Option(names = "--waiting", required = true) Contender.Waiting waiting,
            @Option(names = "--local", required = true) InetAddress local,
            @Option(names = "--server", required = true) InetAddress server)
            throws Exception {
        return obey(new ClientRole(known(id), waiting, local, server));
    }

    private static Contender known(String id) {
        Contender contender = contender(id);
        if (contender == null) {
            throw CliException.usage("there is no contender " + id, "see homa bench peers --help");
        }
        return contender;
    }

    /** What a process does on a line: returns its answer. */
    private interface Role {
        String obey(String[] words) throws Exception;
    }

    private int obey(Role role) throws Exception {
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        PrintWriter out = spec.commandLine().getOut();
        return ChildProcess.runWithParent(lines::add, () -> {
            while (true) {
                String answer;
                try {
                    answer = role.obey(lines.take().split(" ", -1));
                } catch (InterruptedException e) {
                    throw e;
                } catch (Exception | LinkageError e) {
                    if (System.getenv("HOMA_DEBUG") != null) {
                        e.printStackTrace();
                    }
                    answer = "failed " + reason(e);
                }
                out.println(answer.replaceAll("\\s*\\R\\s*", " "));
                out.flush();
            }
        });
    }

    private static String reason(Throwable e) {
        String message = e.getMessage();
        return message == null
                ? e.toString()
                : e instanceof CliException ? message : e.getClass().getSimpleName() + ": " + message;
    }

    private static final class ServerRole implements Role {
        private final Contender contender;
        private final Contender.Waiting waiting;
        private final InetAddress local;
        private Contender.@Nullable Server server;

        ServerRole(Contender contender, Contender.Waiting waiting, InetAddress local) {
            this.contender = contender;
            this.waiting = waiting;
            this.local = local;
        }

        @Override
        public String obey(String[] words) throws Exception {
            return switch (words[0]) {
                case "open" -> open();
                case "usage" -> "usage " + cpuNs() + " " + allocatedBytes();
                default -> close();
            };
        }

        private String open() throws Exception {
            Contender.Server fresh = contender.serve(local, waiting);
            server = fresh;
            return "ready " + fresh.port();
        }

        private String close() {
            if (server != null) {
                server.close();
                server = null;
            }
            return "closed";
        }
    }

    private record ClientRole(Contender contender, Contender.Waiting waiting, InetAddress local, InetAddress server)
            implements Role {
        @Override
        public String obey(String[] words) throws Exception {
            if (words[0].equals("mix")) {
                MixedLoad load = new MixedLoad(
                        Double.parseDouble(words[2]), Double.parseDouble(words[3]), Double.parseDouble(words[4]));
                return measure(words[1], load.shorts(), client -> client.run(load), load::gbitPerSecond);
            }
            PeerLoad load = new PeerLoad(
                    Integer.parseInt(words[2]),
                    Integer.parseInt(words[3]),
                    Integer.parseInt(words[4]),
                    Double.parseDouble(words[5]));
            return measure(words[1], load, client -> client.run(load), load::requestGbitPerSecond);
        }

        private interface Work {
            void run(Contender.Client client) throws Exception;
        }

        private String measure(String port, PeerLoad load, Work work, DoubleSupplier gbitOut) throws Exception {
            long cpuNs;
            long allocatedBytes;
            InetSocketAddress to = new InetSocketAddress(server, Integer.parseInt(port));
            try (Contender.Client client = contender.connect(local, to, waiting)) {
                cpuNs = cpuNs();
                allocatedBytes = allocatedBytes();
                load.begin();
                work.run(client);
                cpuNs = cpuNs() - cpuNs;
                allocatedBytes = allocatedBytes() - allocatedBytes;
            }
            return String.format(
                    Locale.ROOT,
                    "result %d %d %.3f %.6f %.6f %.3f %.3f %.3f %d %d",
                    load.answers(),
                    load.errors(),
                    load.rpcsPerSecond(),
                    gbitOut.getAsDouble(),
                    load.responseGbitPerSecond(),
                    load.rttUs(50),
                    load.rttUs(99),
                    load.rttUs(99.9),
                    cpuNs,
                    allocatedBytes);
        }
    }

    private static long cpuNs() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    private static long allocatedBytes() {
        return ManagementFactory.getPlatformMXBean(ThreadMXBean.class).getTotalThreadAllocatedBytes();
    }
}
