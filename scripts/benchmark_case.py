"""One case of scripts/benchmark.py in a process of its own: prints its results as one line of JSON."""

import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import benchmark_ani
import benchmark_systems as systems
import numpy as np

SECONDS = 1.0  # at least, of a sample
SHARE = 15.0  # seconds after which a case gets no further sample, if it has two
SAMPLE_STEPS, CHECKPOINT_STEPS = 100, 1000  # the engine's defaults at 1 fs


def speeds(model: str, count: int, ensemble: str, threads: int, device: str, repeats: int) -> dict[str, Any]:
    """Return ms a step of ours (with the correction) and of the reference (without), sampled in turn."""
    place = (model, count, ensemble, threads, device)
    steps = {kind: systems.step_of(kind, *place) for kind in ("ours", "reference")}
    found: dict[str, list[float]] = {kind: [] for kind in steps}
    spent = dict.fromkeys(steps, 0.0)
    for step in steps.values():
        step()
    for number in range(repeats):
        for kind, step in steps.items():
            if number < 2 or spent[kind] < SHARE:
                begin = time.perf_counter()
                found[kind].append(sample(step, device))
                spent[kind] += time.perf_counter() - begin
    return found


def sample(step: Callable[[], Any], device: str) -> float:
    """Return ms a step over at least SECONDS."""
    count, begin = 0, time.perf_counter()
    while not count or time.perf_counter() - begin < SECONDS:
        step()
        count += 1
    if device != "cpu":
        import torch

        torch.cuda.synchronize()
    return 1000.0 * (time.perf_counter() - begin) / count


def alone(model: str, count: int, seconds: float) -> float:
    """Return ms a step of ours on one thread over so many seconds."""
    step = systems.step_of("ours", model, count, "nvt", 1, "cpu")
    step()
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        step()
        steps += 1
    return 1000.0 * (time.perf_counter() - begin) / steps


class Clock:
    """Sums up the time spent in functions, in ms."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._watched: list[tuple[Any, str, Any]] = []

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Count the calls of owner.name as ``part``."""
        function = getattr(owner, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            result = function(*arguments, **named)
            self.spent[part] = self.spent.get(part, 0.0) + 1000.0 * (time.perf_counter() - begin)
            return result

        self._watched.append((owner, name, function))
        setattr(owner, name, timed)

    def stop(self) -> None:
        """Put the functions back."""
        for owner, name, function in self._watched:
            setattr(owner, name, function)


def breakdown(model: str, count: int, ensemble: str, threads: int) -> dict[str, float]:
    """Return ms of each part of a step of ours; "step" is the whole, output included."""
    from votca_mlp.models.ani import descriptor, descriptor_gradient
    from votca_mlp.models.hipnn import half_list as hipnn_half_list
    from votca_mlp.neighbours import pair_kernels

    evaluator = systems.evaluator(model, corrected=True, threads=threads)
    md = systems.ours(evaluator, systems.atoms_of(count, model), ensemble)
    for _ in range(3):
        md.step()
    clock = Clock()
    clock.watch(evaluator, "evaluate", "evaluate")
    fast = evaluator.fast is not None
    if fast:
        clock.watch(evaluator.fast.pairs.list, "update", "neighbour list")
        clock.watch(evaluator.model._fast, "sums", "model, pairs and forces")
        clock.watch(hipnn_half_list, "environments", "of this sums over pairs")
        clock.watch(hipnn_half_list, "atoms_alone", "of this networks, both ways")
        clock.watch(hipnn_half_list, "forces", "of this forces")
    else:
        clock.watch(evaluator.pairs.list, "update", "neighbour list")
        clock.watch(pair_kernels, "compact", "neighbour list")
        clock.watch(evaluator.pairs, "update", "pair vectors")
        clock.watch(evaluator.model, "energies_and_gradient", "model")
        clock.watch(evaluator.pairs, "sums", "forces from its gradient")
    clock.watch(evaluator.adder, "add", "correction with its list")
    clock.watch(evaluator.adder.list, "update", "its list")
    if threads == 1 and model == "ani":  # with more, several of them run at a time
        clock.watch(descriptor, "descriptors", "of this descriptor")
        clock.watch(descriptor_gradient, "gradients", "of this its gradient")
        clock.watch(evaluator.model._fast, "_networks", "of this networks, both ways")
    begin, steps = time.perf_counter(), 0
    while steps < 2 * SAMPLE_STEPS and (steps < 32 or time.perf_counter() - begin < 6.0):
        md.step()
        steps += 1
    total = 1000.0 * (time.perf_counter() - begin) / steps
    clock.stop()
    spent = {part: value / steps for part, value in clock.spent.items()}
    spent["model, pairs and forces" if fast else "pair vectors"] -= spent["neighbour list"]
    evaluated = spent.pop("evaluate")
    inside = sum(value for part, value in spent.items() if not part.startswith(("of this", "its list")))
    spent["rest of the evaluation"] = evaluated - inside
    spent["integrator"] = total - evaluated
    spent["output, checkpoints"] = output(md)
    spent["step"] = total + spent["output, checkpoints"]
    return spent


def output(md: Any) -> float:
    """Return ms a step of what the engine does beside MD: limits each step, samples, checkpoints."""
    from votca_mlp.engines.ase import checkpoint
    from votca_mlp.engines.ase.output import thermo_row
    from votca_mlp.engines.ase.trajectory import frame_writer
    from votca_mlp.engines.options import Limits
    from votca_mlp.engines.shared.growing import GrowingFile
    from votca_mlp.engines.shared.stages import Stage
    from votca_mlp.engines.shared.watch import make_watch

    # below any bond
    watch = make_watch(Limits(distance_min=0.1), r_max=1.0, volume=md.volume)
    stage = Stage("production", 10**9, 10**9, systems.TEMPERATURE, False, False)
    symbols, frame = md.atoms.get_chemical_symbols(), frame_writer("traj.dump")
    with tempfile.TemporaryDirectory() as folder:
        files = [GrowingFile(Path(folder, name)) for name in ("thermo", "traj")]

        def take_sample() -> None:
            files[0].write(thermo_row(1, "production", md))
            files[1].write(frame(1, 1.0, symbols, md.positions, np.diag(md.cell)))

        def save() -> None:
            lengths = {"traj": files[1].sync(), "thermo": files[0].sync()}
            saved = checkpoint.Checkpoint(1, 1.0, lengths, {}, md.state())
            checkpoint.save(Path(folder, "checkpoint"), saved)
            md.evaluator.forget()
            md.recompute()

        each = [median_of(lambda: watch.check(md, stage, 1)), median_of(take_sample), median_of(save)]
    return each[0] + each[1] / SAMPLE_STEPS + each[2] / CHECKPOINT_STEPS


def median_of(function: Callable[[], Any]) -> float:
    """Return ms of a call."""
    found = []
    for _ in range(5):
        begin = time.perf_counter()
        function()
        found.append(1000.0 * (time.perf_counter() - begin))
    return statistics.median(found)


def memory(kind: str, model: str, count: int, ensemble: str, threads: int) -> float:
    """Return the largest memory of this process in MB after two steps."""
    step = systems.step_of(kind, model, count, ensemble, threads, "cpu")
    for _ in range(2):
        step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def equality(model: str, count: int) -> dict[str, list[float]]:
    """Return the largest differences of energies (eV/atom) and forces (eV/Angstrom).

    Between ours, the reference and our plain torch path in float64, all without the correction. Energies are
    taken relative to a second configuration, as the reference leaves out the atoms' own.
    """
    import torch

    from votca_mlp.evaluation.evaluator import PairListEvaluator

    fast = systems.evaluator(model, corrected=False, threads=1)
    atoms = [systems.atoms_of(count, model) for _ in range(2)]
    atoms[1].rattle(0.1, seed=7)
    found = {"ours": [(e.energy, e.forces) for e in map(fast.evaluate, atoms)]}
    exact = PairListEvaluator(fast.model, dtype=torch.float64)
    found["float64"] = [(e.energy, e.forces) for e in map(exact.evaluate, atoms)]
    systems.reference(model, atoms[0], "nvt")
    atoms[1].calc = atoms[0].calc
    found["reference"] = [(float(a.get_potential_energy()), a.get_forces()) for a in atoms]
    couples = [("ours", "reference"), ("ours", "float64"), ("reference", "float64")]
    if model in benchmark_ani.SYSTEMS:
        # torchani's calculator in float32 rounds the positions
        atoms[0].calc = atoms[1].calc = systems.torchani_calculator(model=model, double=True)
        found["reference in float64"] = [(float(a.get_potential_energy()), a.get_forces()) for a in atoms]
        couples.append(("ours", "reference in float64"))
    result = {}
    for one, other in couples:
        a, b = found[one], found[other]
        energy = abs((a[1][0] - a[0][0]) - (b[1][0] - b[0][0])) / count
        forces = max(float(np.abs(x[1] - y[1]).max()) for x, y in zip(a, b, strict=True))
        result[f"{one} - {other}"] = [energy, forces]
    return result


TASKS: dict[str, Callable[..., Any]] = {
    "alone": alone,
    "speeds": speeds,
    "breakdown": breakdown,
    "memory": memory,
    "equality": equality,
}

if __name__ == "__main__":
    name, arguments = json.loads(sys.argv[1])
    print(json.dumps(TASKS[name](**arguments)))
