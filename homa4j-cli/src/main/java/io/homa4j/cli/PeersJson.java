package io.homa4j.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The results of {@code homa bench peers} as JSON: {@code results} has an entry for each name, as in {@code homa bench}, with the
 * figures of its first case; the others of that name stand in {@code other_cases} of the entry.
 */
final class PeersJson {
    private PeersJson() {}

    static Map<String, Object> of(PeersResults results, Map<String, Object> conditions) {
        Map<String, Map<String, Object>> entries = new LinkedHashMap<>();
        Map<String, List<Object>> others = new LinkedHashMap<>();
        Object pinning = conditions.getOrDefault("pinning", "none");
        for (PeersCase each : results.cases()) {
            Map<String, Object> entry = entry(results, each, pinning);
            Map<String, Object> first = entries.putIfAbsent(each.name(), entry);
            if (first != null) {
                others.computeIfAbsent(each.name(), name -> new ArrayList<>()).add(entry);
            }
        }
        others.forEach((name, list) -> {
            Map<String, Object> entry = entries.get(name);
            if (entry != null) {
                entry.put("other_cases", list);
            }
        });
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("results", new ArrayList<>(entries.values()));
        json.put("ratios", ratios(PeersRatio.all(results)));
        Map<String, Object> absent = new LinkedHashMap<>();
        results.absent().forEach((of, reason) -> absent.put(of.label(), reason));
        json.put("left_out", absent);
        Map<String, Object> loads = new LinkedHashMap<>();
        for (PeersLoad load : PeersLoad.values()) {
            Map<String, Object> words = new LinkedHashMap<>();
            words.put("request_bytes", load.requestBytes);
            words.put("response_bytes", load.responseBytes);
            words.put("outstanding", load.outstanding);
            loads.put(key(load), words);
        }
        json.put("loads", loads);
        json.putAll(conditions);
        return json;
    }

    private static String key(PeersLoad load) {
        return load.name().toLowerCase(Locale.ROOT);
    }

    static List<Object> ratios(List<PeersRatio> ratios) {
        List<Object> list = new ArrayList<>();
        for (PeersRatio ratio : ratios) {
            Map<String, Object> words = new LinkedHashMap<>();
            words.put("title", ratio.title());
            words.put("ratio", ratio.value());
            words.put("must", ratio.bound(ratio.must()));
            words.put("aim", ratio.bound(ratio.aim()));
            words.put("verdict", ratio.verdict());
            list.add(words);
        }
        return list;
    }

    private static Map<String, Object> entry(PeersResults results, PeersCase of, Object pinning) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("name", of.name());
        entry.put("id", of.id());
        entry.put("set_up", results.setUps().getOrDefault(of.id(), ""));
        entry.put("link", of.link().name().toLowerCase(Locale.ROOT));
        entry.put("waiting", of.waiting().text());
        entry.put("pinning", pinning);
        Rounds<PeersRound> rtt = results.rounds(of, PeersLoad.RTT);
        Map<String, Object> rttUs = new LinkedHashMap<>();
        rttUs.put("p50", rtt.median(PeersRound::p50));
        rttUs.put("p99", rtt.median(PeersRound::p99));
        rttUs.put("p999", rtt.median(PeersRound::p999));
        entry.put("rtt_us", rttUs);
        entry.put("rpcs_per_s", results.rounds(of, PeersLoad.RATE).median(PeersRound::rpcsPerSecond));
        PeersLoad out = results.better(of, PeersLoad.OUT_1, PeersLoad.OUT_8);
        PeersLoad in = results.better(of, PeersLoad.IN_1, PeersLoad.IN_8);
        entry.put("gbit_per_s", results.rounds(of, out).median(PeersRound::gbit));
        entry.put("gbit_per_s_in", results.rounds(of, in).median(PeersRound::gbit));
        long rpcs = 0;
        long errors = 0;
        Map<String, Object> all = new LinkedHashMap<>();
        for (PeersLoad load : PeersLoad.values()) {
            Rounds<PeersRound> rounds = results.rounds(of, load);
            if (rounds.isEmpty()) {
                continue;
            }
            rpcs += (long) rounds.sum(PeersRound::rpcs);
            errors += (long) rounds.sum(PeersRound::errors);
            Map<String, Object> figures = new LinkedHashMap<>();
            // All rounds, the smallest figure first.
            figures.put("rtt_p50_us", list(rounds, PeersRound::p50));
            figures.put("rtt_p99_us", list(rounds, PeersRound::p99));
            figures.put("rtt_p999_us", list(rounds, PeersRound::p999));
            figures.put("rpcs_per_s", list(rounds, PeersRound::rpcsPerSecond));
            figures.put("gbit_per_s", list(rounds, PeersRound::gbit));
            figures.put("cpu_us_per_rpc", list(rounds, PeersRound::cpuUsPerRpc));
            figures.put("cpu_s_per_gigabyte", list(rounds, PeersRound::cpuSecondsPerGigabyte));
            figures.put("bytes_allocated_per_rpc", list(rounds, PeersRound::allocatedPerRpc));
            all.put(key(load), figures);
        }
        entry.put("rpcs", rpcs);
        entry.put("errors", errors);
        entry.put("rounds", all);
        return entry;
    }

    private static List<Double> list(Rounds<PeersRound> rounds, ToDoubleFunction<PeersRound> figure) {
        return Arrays.stream(rounds.sorted(figure)).boxed().toList();
    }
}
