#!/usr/bin/env bash
# Makes the embedded default model from its base: fine-tunes, scores base and result, writes the .lacos file.
# Usage: docs/default-model/train.sh BASE DATA OUTPUT
#   BASE    the folder of the base model, bloom-mini
#   DATA    a folder with pairs/ and sts/ (their sources: THIRD-PARTY-NOTICES.md)
#   OUTPUT  an empty or new folder
set -euo pipefail
[[ $# -eq 3 ]] || { sed -n '3,6s/^# //p' "$0" >&2; exit 2; }
base=$1 pairs=$2/pairs sts=$2/sts output=$3
lacos=$(dirname "$(readlink -f "$0")")/../../build/lacos
strength=0.8

data=(
    --data "$pairs/nli_triplets.tsv.gz,loss=mnr,directions=both,weight=100,batch-size=64"
    --data "$pairs/wikisplit_en.tsv.gz,loss=mnr,directions=both,weight=4,batch-size=48"
    --data "$pairs/xquad_questions.tsv.gz,loss=mnr,directions=both,weight=4,batch-size=64,balance=lang2,balance-power=0.5"
    --data "$pairs/tatoeba_paraphrase.tsv.gz,loss=mnr,directions=both,weight=14,batch-size=128,balance=lang,balance-power=0.5"
    --data "$pairs/tatoeba_parallel.tsv.gz,rows=200000,loss=mnr,directions=both,weight=20,batch-size=128,balance=lang1,balance-power=0.5"
    --data "$pairs/tico19_parallel.tsv.gz,loss=mnr,directions=both,weight=6,batch-size=48,balance=lang2,balance-power=0.5"
    --data "$pairs/indic_wiki_parallel.tsv.gz,rows=15000,loss=mnr,directions=both,weight=3,batch-size=32,balance=lang1,balance-power=0.5"
)
for language in en de es fr it; do
    data+=(--data "$sts/stsb-$language-train.tsv,loss=cosent,weight=5,loss-weight=0.15,batch-size=64")
done
judged=()
for set in stsb-en stsb-de stsb-zh; do
    judged+=(--eval "$sts/$set-dev.tsv")
done

# Two runs at once that differ by their seed, one thread each. Each writes its part of the update; their sum is merged into the base.
part=$(awk "BEGIN { print $strength / 2 }")
"$lacos" info --model "$base" >/dev/null # builds the tool, once
runs=()
for seed in 1 2; do
    OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 LACOS_NUM_THREADS=1 "$lacos" train --model "$base" --output "$output/seed$seed" --seed "$seed" "${data[@]}" "${judged[@]}" \
        --eval-every 100 --steps 400 --learning-rate 1.5e-3 --warmup 0.05 --mini-batch-size 128 --max-tokens 128 --optimizer adam8bit \
        --lora-rank 16 --lora-alpha 32 --lora-dropout 0 --lora-targets query_key_value,dense,dense_h_to_4h,dense_4h_to_h --strength "$part" &
    runs+=($!)
done
for run in "${runs[@]}"; do
    wait "$run"
done
"$lacos" export --model "$base" --adapter "$output/seed1" --output "$output/hf1"
"$lacos" export --model "$output/hf1" --adapter "$output/seed2" --output "$output/hf"

# One table for all sets that are here, before and after.
scored=("$sts"/*-dev.tsv "$sts"/*-test.tsv "$sts"/*-unseen.tsv)
"$lacos" eval --model "$base" --data "${scored[@]}" --max-tokens 128 --json "$output/before.json"
"$lacos" eval --model "$output/hf" --data "${scored[@]}" --max-tokens 128 --json "$output/after.json"
"$lacos" quantize --model "$output/hf" --output "$output/bloom-mini.lacos" --name lacos-bloom-mini --license MIT --max-tokens 256 \
    --provenance "data=Tatoeba (CC BY 2.0 FR), TICO-19 (CC0), Indian Parallel Corpora, SNLI, IndoNLI, WikiSplit, XQuAD, STS-B (CC BY-SA)" \
    --provenance "base=bloom-mini, trained for this project from random weights towards the vectors of all-MiniLM-L6-v2 (Apache-2.0)" \
    --provenance "training=two runs of LoRA of rank 16 over the int8 base with 8-bit Adam and a Siamese contrastive objective, averaged; docs/default-model/train.sh" \
    --language semrel24-eng-dev=en --language semrel24-esp-dev=es --language semrel24-hin-dev=hi --language semrel24-ind-dev=id --language semrel24-arb-dev=ar \
    --scores "$output/after.json" --scores-before "$output/before.json"
