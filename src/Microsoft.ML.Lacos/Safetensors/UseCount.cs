namespace Microsoft.ML.Lacos.Safetensors;

/// <summary>Counts the uses of something that must not be released under them: it is released by its owner, or by the last use after the owner has closed it.</summary>
/// <param name="release">Called once.</param>
internal sealed class UseCount(Action release)
{
    // The owner's own use counts too, until it closes.
    private int _users = 1;
    private int _closed;

    /// <summary>Whether the owner has closed it; uses may still be running.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>Begins a use, which ends with <see cref="Leave"/>; not where the owner has closed it, or every use has ended.</summary>
    public bool TryEnter()
    {
        int users = Volatile.Read(ref _users);
        while (users > 0 && !IsClosed)
        {
            int before = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (before == users)
            {
                return true;
            }
            users = before;
        }
        return false;
    }

    /// <summary>Begins a use, which ends with <see cref="Leave"/>.</summary>
    /// <param name="owner">Named in the error.</param>
    /// <exception cref="ObjectDisposedException">The owner has closed it.</exception>
    public void Enter(object owner) => ObjectDisposedException.ThrowIf(!TryEnter(), owner);

    /// <summary>Ends a use.</summary>
    /// <param name="mayRelease">False from a finalizer, which must not touch what the release does.</param>
    public void Leave(bool mayRelease = true)
    {
        if (Interlocked.Decrement(ref _users) == 0 && mayRelease)
        {
            release();
        }
    }

    /// <summary>Lets no more uses begin. Again has no effect.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
        {
            Leave();
        }
    }
}
