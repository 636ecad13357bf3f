#!/usr/bin/env python3
"""Checks launch files with the programs that will read them.

    launch.py TARGET FILE...

exits 0 when the target accepts the files, 1 with the reason when it doesn't. Needs the packages of
requirements.txt; nothing here touches a GPU or a network.
"""

import ast
import contextlib
import io
import json
import re
import sys
from pathlib import Path

import yaml


class Refused(Exception):
    """The target does not accept the file."""


def require(condition, reason):
    if not condition:
        raise Refused(reason)


def train_config_class():
    """LLM Foundry's own TrainConfig, without importing the trainer that comes with it."""
    import importlib.util
    from dataclasses import dataclass, field, fields
    from typing import Any, Optional, Union

    from omegaconf import MISSING

    package = Path(importlib.util.find_spec("llmfoundry").origin).parent
    source = (package / "utils" / "config_utils.py").read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == "TrainConfig":
            scope = dict(
                dataclass=dataclass, field=field, fields=fields, Any=Any,
                Optional=Optional, Union=Union, MISSING=MISSING,
            )
            module = ast.Module(body=[node], type_ignores=[])
            exec(compile(module, "config_utils.py", "exec"), scope)
            return scope["TrainConfig"]
    raise AssertionError("llmfoundry has no TrainConfig any more")


def mpt_arguments():
    """Arguments of LLM Foundry's MPTConfig, by name."""
    import importlib.util

    package = Path(importlib.util.find_spec("llmfoundry").origin).parent
    source = (package / "models" / "mpt" / "configuration_mpt.py").read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return {argument.arg for argument in node.args.args}
    raise AssertionError("MPTConfig has no __init__ any more")


def world_size(text):
    """GPUs, from the head of the file."""
    found = re.search(r"^# .*: ([\d,]+) x \S+ of ", text, re.MULTILINE)
    require(found, "the head doesn't say how many GPUs")
    return int(found.group(1).replace(",", ""))


def in_fp8(text):
    """Whether the stack multiplies matrices in fp8, from the head of the file."""
    found = re.search(r"^# activation checkpointing .*; stack (\S+)$", text, re.MULTILINE)
    require(found, "the head doesn't say which stack")
    return "fp8" in found.group(1).split("-")


def check_training(config, gpus):
    from omegaconf import OmegaConf

    merged = OmegaConf.merge(OmegaConf.structured(train_config_class()), OmegaConf.create(config))
    for key in ("n_gpus", "device_train_grad_accum", "device_train_batch_size"):
        require(key not in config, f"{key} is derived by the trainer")
    require(not OmegaConf.is_missing(merged, "model"), "no model")
    batch, micro = config["global_train_batch_size"], config["device_train_microbatch_size"]
    require(batch % gpus == 0, f"batch {batch} does not divide by {gpus} GPUs")
    require(micro <= batch // gpus, f"micro-batch {micro} is larger than the device batch")
    require(re.fullmatch(r"\d+(tok|ba|sp|ep|dur|sec|iter)", config["max_duration"]), "max_duration")
    # Composer's schedulers refuse a warm-up in another unit than the run's, or one that is as long.
    number = re.compile(r"(\d+)([a-z]+)")
    lasts, unit = number.fullmatch(config["max_duration"]).groups()
    warms, of = number.fullmatch(config["scheduler"]["t_warmup"]).groups()
    require(of == unit and int(warms) < int(lasts), "t_warmup")
    require(("save_folder" in config) == ("save_interval" in config), "a folder or an interval alone")
    interval = config.get("save_interval", "1ba")
    require(re.fullmatch(r"\d+(tok|ba|sp|ep|dur|sec|iter)", interval), "save_interval")
    model = config["model"]
    # Composer multiplies in fp8 in layers of Transformer Engine's alone, and LLM Foundry only warns.
    layers = model.get("fc_type", "torch")
    require(("fp8" in config["precision"]) == (layers == "te"), "fp8 without its layers, or these alone")
    require(model["d_model"] % model["n_heads"] == 0, "n_heads does not divide d_model")
    unknown = set(model) - mpt_arguments() - {"name"}
    require(not unknown, f"MPTConfig has no {unknown}")


def llm_foundry(path):
    text = path.read_text()
    config = yaml.safe_load(text)
    require(("fp8" in config["precision"]) == in_fp8(text), "fp8")
    check_training(config, world_size(text))


def skypilot(path):
    import sky

    task = sky.Task.from_yaml(str(path))
    # The parser takes any name, and the full list is a download: these are SkyPilot's spellings.
    known = {"A100", "A100-80GB", "H100", "H200", "B200"}
    for resources in task.resources:
        for name in resources.accelerators or {}:
            require(name in known, f"{name} is no accelerator")
    text = path.read_text()
    (count,) = {n for r in task.resources for n in r.accelerators.values()}
    require(task.num_nodes * count == world_size(text), "nodes x accelerators are not the GPUs")


def mcli(path):
    from mcli import RunConfig

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        run = RunConfig.from_file(str(path))
    text = path.read_text()
    written = yaml.safe_load(text)
    known = {f for f in vars(run)} | {"parameters", "scheduling", "compute"}
    require(not set(written) - known, f"unknown keys {set(written) - known}: {said.getvalue()}")
    require(run.compute["gpus"] == world_size(text), "not the planned GPUs")
    from mcli.models.gpu_type import GPUType

    GPUType.from_string(run.compute["gpu_type"])
    check_training(run.parameters, run.compute["gpus"])


def head_of(path):
    """What was planned, from the script beside a file without comments."""
    return path.with_name("launch.sh").read_text()


def huggingface(path):
    from transformers import HfArgumentParser, TrainingArguments

    (arguments,) = HfArgumentParser(TrainingArguments).parse_json_file(str(path))
    written = json.loads(path.read_text())
    for key, value in written.items():
        # A renamed key is read under its new name.
        if hasattr(arguments, key) and key != "lr_scheduler_type" and key != "save_strategy":
            require(getattr(arguments, key) == value, f"{key} is read as {getattr(arguments, key)}")
    require(arguments.max_steps > 0, "max_steps")
    accelerate = yaml.safe_load(path.with_name("accelerate.yaml").read_text())
    # What TrainingArguments switch on takes the place of what Accelerate's file asks for.
    mixed = "bf16" if arguments.bf16 else accelerate["mixed_precision"]
    require(mixed == accelerate["mixed_precision"], f"{mixed} in place of Accelerate's precision")
    fp8 = in_fp8(head_of(path))
    require((mixed == "fp8") == fp8 == ("fp8_config" in accelerate), "fp8")
    accelerate = accelerate["fsdp_config"]
    switched = re.search(r"^# activation checkpointing (on|off)", head_of(path), re.MULTILINE)
    planned = switched.group(1) == "on"
    require(accelerate["fsdp_activation_checkpointing"] == planned, "activation checkpointing")
    require(not arguments.gradient_checkpointing, "both kinds of activation checkpointing")


def deepspeed(path):
    config = json.loads(path.read_text())
    gpus = world_size(path.with_name("launch.sh").read_text())
    product = config["train_micro_batch_size_per_gpu"] * config["gradient_accumulation_steps"] * gpus
    require(config["train_batch_size"] == product, f"train_batch_size is not {product}")
    require(config["bf16"]["enabled"] is True, "bf16")
    require(config["zero_optimization"]["stage"] == 3, "ZeRO stage")


def megatron(path):
    text = path.read_text()
    gpus = world_size(text)

    def flag(name):
        found = re.search(rf"--{name} (\d+)", text)
        require(found, f"--{name} is missing")
        return int(found.group(1))

    parallel = gpus // flag("tensor-model-parallel-size") // flag("pipeline-model-parallel-size")
    require(
        flag("global-batch-size") % (flag("micro-batch-size") * parallel) == 0,
        "the global batch is no multiple of micro-batch x data-parallel size",
    )
    require(flag("train-samples") % flag("global-batch-size") == 0, "train-samples")
    require(flag("hidden-size") % flag("num-attention-heads") == 0, "heads")
    require(flag("seq-length") <= flag("max-position-embeddings"), "positions")
    require(("--fp8-format" in text) == in_fp8(text), "fp8")
    processes = re.search(r"--nnodes=(\d+) .*?--nproc-per-node=(\d+)", text.replace("\\\n", " "))
    require(int(processes[1]) * int(processes[2]) == gpus, "processes are not the GPUs")


def kubeflow(path):
    from kubeflow_trainer_api.models import TrainerV1alpha1TrainJob

    text = path.read_text()
    written = yaml.safe_load(text)
    job = TrainerV1alpha1TrainJob.from_dict(written)
    # The model drops what it doesn't know; the API server doesn't.
    require(job.to_dict() == written, "the model reads something else than is written")
    name = written["metadata"]["name"]
    require(re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name), f"{name} is no RFC 1035 label")
    trainer = job.spec.trainer
    require(trainer.num_nodes * trainer.num_proc_per_node == world_size(text), "not the GPUs")


def texts(value):
    """Every text in a document, as the parser reads it."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value]


def expanded(text):
    """A text as Kubernetes hands it on when it expands the variables that it knows: none."""
    require(not re.search(r"\$\(", text.replace("$$", "")), f"a variable is expanded in {text!r}")
    return text.replace("$$", "$")


def settings(path):
    """What the job file beside the file sets is what a YAML parser reads from it."""
    import tomllib

    job = tomllib.loads(path.with_name("job.toml").read_text())["launch"]
    found = texts(yaml.safe_load(path.read_text()))
    if path.name == "trainjob.yaml":
        found = [expanded(text) if isinstance(text, str) else text for text in found]
    if path.name in ("train.yaml", "run.yaml"):
        for key in ("data", "checkpoints", "tokenizer"):
            require(job[key] in found, f"{key} is not read as {job[key]!r}")
    if path.name in ("task.yaml", "run.yaml", "trainjob.yaml"):
        for key, text in job["env"].items():
            require(text in found, f"{key} is not read as {text!r}")
    if path.name in ("run.yaml", "trainjob.yaml"):
        require(job["image"] in found, "image")


CHECKS = {
    "settings": settings,
    "llm-foundry": llm_foundry,
    "skypilot": skypilot,
    "mcli": mcli,
    "huggingface": huggingface,
    "deepspeed": deepspeed,
    "megatron": megatron,
    "kubeflow": kubeflow,
}


def main():
    target, files = sys.argv[1], sys.argv[2:]
    for name in files:
        try:
            CHECKS[target](Path(name))
        except Exception as error:  # whatever a parser raises is its refusal
            print(f"{name}: {type(error).__name__}: {error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
