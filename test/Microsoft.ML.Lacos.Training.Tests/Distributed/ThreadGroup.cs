using System.Runtime.ExceptionServices;
using Microsoft.ML.Lacos.Training.Distributed;

namespace Microsoft.ML.Lacos.Training.Tests.Distributed;

/// <summary>Threads of one process as ranks.</summary>
internal sealed class ThreadGroup : IDisposable
{
    private readonly byte[][] _blocks;
    private readonly Barrier _barrier;
    private readonly CancellationTokenSource _broken = new();

    private ThreadGroup(int count) => (_blocks, _barrier) = (new byte[count][], new Barrier(count));

    /// <summary>Does something on every rank at once; an error on one ends them all and is thrown.</summary>
    public static T[] Run<T>(int count, Func<IProcessGroup, T> action)
    {
        (T[] results, Exception?[] errors) = Outcomes(count, action);
        Exception? first = errors.FirstOrDefault(error => error is not null and not RankLostException);
        if (first is not null)
        {
            ExceptionDispatchInfo.Capture(first).Throw();
        }
        return results;
    }

    /// <summary>Does something on every rank at once and tells how each ended.</summary>
    public static (T[] Results, Exception?[] Errors) Outcomes<T>(int count, Func<IProcessGroup, T> action)
    {
        using var group = new ThreadGroup(count);
        var results = new T[count];
        var errors = new Exception?[count];
        Thread[] threads = [.. Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            try
            {
                results[rank] = action(new Member(group, rank));
            }
            catch (Exception error)
            {
                errors[rank] = error;
                group._broken.Cancel();
            }
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }
        foreach (Thread thread in threads)
        {
            thread.Join();
        }
        return (results, errors);
    }

    public void Dispose()
    {
        _barrier.Dispose();
        _broken.Dispose();
    }

    private void Exchange(int rank, ReadOnlySpan<byte> own, Action read)
    {
        _blocks[rank] = own.ToArray();
        Wait();
        read();
        Wait();
    }

    private void Wait()
    {
        try
        {
            _barrier.SignalAndWait(_broken.Token);
        }
        catch (OperationCanceledException error)
        {
            throw new RankLostException(error);
        }
    }

    /// <summary>Another rank has ended with an error.</summary>
    internal sealed class RankLostException(Exception inner) : Exception("Another rank has failed.", inner);

    private sealed class Member(ThreadGroup group, int rank) : IProcessGroup
    {
        public int Rank => rank;

        public int Count => group._blocks.Length;

        public void AllGather(ReadOnlySpan<byte> own, Span<byte> all)
        {
            Assert.AreEqual(own.Length * Count, all.Length);
            byte[] to = new byte[all.Length];
            int block = own.Length;
            group.Exchange(rank, own, () =>
            {
                for (int other = 0; other < Count; other++)
                {
                    Assert.HasCount(block, group._blocks[other]);
                    group._blocks[other].CopyTo(to, other * block);
                }
            });
            to.CopyTo(all);
        }

        public void AllToAll(ReadOnlySpan<byte> sent, Span<byte> received)
        {
            Assert.AreEqual(sent.Length, received.Length);
            Assert.AreEqual(0, sent.Length % Count);
            byte[] to = new byte[received.Length];
            int block = sent.Length / Count;
            group.Exchange(rank, sent, () =>
            {
                for (int other = 0; other < Count; other++)
                {
                    Assert.HasCount(to.Length, group._blocks[other]);
                    group._blocks[other].AsSpan(rank * block, block).CopyTo(to.AsSpan(other * block));
                }
            });
            to.CopyTo(received);
        }

        public void Broadcast(Span<byte> data)
        {
            byte[] to = data.ToArray();
            group.Exchange(rank, data, () => group._blocks[0].CopyTo(to, 0));
            to.CopyTo(data);
        }
    }
}
